# SPDX-License-Identifier: Apache-2.0
"""What is installed is whole, and works where it is put; debian/ makes packages of it, and Containerfile an image.

The quick part installs a build into a folder. The exam builds the packages, asks lintian, and uses what
is in them: unpacked, and installed by dpkg in a copy of this system that is thrown away.
"""
import glob
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from earnest_server import SOURCES, free_port
from scenario import SANITIZED

BUILD = pathlib.Path(os.environ.get("EARNEST_BUILD", SOURCES / "build/debug"))
DEBIAN = SOURCES / "debian"


def run(*command, **more):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, errors="replace", check=False, timeout=600, **more)
    assert result.returncode == 0, result.stdout[-4000:]
    return result.stdout


def need(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        pytest.skip(f"no {', '.join(missing)}")


def environment(root, **more):
    """Programs and libraries are those below root."""
    libraries = [os.path.dirname(path) for path in glob.glob(f"{root}/usr/**/libearnest.so.1", recursive=True)]
    bins = [os.path.dirname(path) for path in glob.glob(f"{root}/usr/**/bin/earnest", recursive=True)]
    return {**os.environ, "PATH": ":".join([*bins, os.environ["PATH"]]), "LD_LIBRARY_PATH": ":".join(libraries),
            "PKG_CONFIG_SYSROOT_DIR": str(root), "PKG_CONFIG_ALLOW_SYSTEM_CFLAGS": "1",
            "PKG_CONFIG_ALLOW_SYSTEM_LIBS": "1", "EARNEST_TEST_PORT": str(free_port()),
            "PKG_CONFIG_PATH": ":".join(f"{folder}/pkgconfig" for folder in libraries), **more}


def autopkgtest(name, root, folder, **more):
    run(DEBIAN / "tests" / name, env=environment(root, AUTOPKGTEST_TMP=str(folder), **more))


@pytest.fixture(name="installed", scope="module")
def install(tmp_path_factory):
    need("meson")
    root = tmp_path_factory.mktemp("installed")
    run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", root)
    return root


def install_lines():
    """(package, what, to or None) of debian/*.install."""
    for path in DEBIAN.glob("*.install"):
        for line in path.read_text(encoding="utf-8").splitlines():
            what, *to = line.split()
            yield path.stem, what, to[0] if to else None


def test_all_that_is_installed_is_in_a_package(installed):
    """Whatever the prefix: debian/ has /usr, a build has /usr/local."""
    prefix = installed / "usr/local"
    files = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if not path.is_dir()}
    assert len(files) > 15
    for _, what, _ in install_lines():
        if what.startswith("usr/"):
            pattern = what.removeprefix("usr/")
            found = {path for path in files if pathlib.PurePath(path).match(pattern) or
                     any(parent.match(pattern) for parent in pathlib.PurePath(path).parents)}
            assert found, f"{what} is not installed"
            files -= found
        else:
            assert (SOURCES / what).exists()
    assert not files, "in no package"


def test_the_symbols_are_those_that_are_written_down(installed):
    library, = installed.rglob("libearnest.so.1.*")
    now = re.findall(r" [A-Z] (ern_\w+)$", run("nm", "-D", "--defined-only", library), re.M)
    text = (DEBIAN / "libearnest1.symbols").read_text(encoding="utf-8")
    assert len(now) > 20
    assert sorted(now) == sorted(re.findall(r"^ (ern_\w+)@Base ", text, re.M))


@pytest.mark.skipif(SANITIZED, reason="whoever links it would need the sanitizers")
def test_a_program_is_compiled_with_what_is_installed(installed, tmp_path):
    need("gcc", "pkg-config")
    autopkgtest("embed", installed, tmp_path)


def test_what_is_installed_serves(installed, tmp_path):
    need("curl")
    conf = (SOURCES / "service/earnest.conf").read_text(encoding="utf-8")
    etc = tmp_path / "etc/earnest"
    etc.mkdir(parents=True)
    for folder in ("var/log/earnest", "var/lib/earnest", "run/earnest", "var/www/html"):
        (tmp_path / folder).mkdir(parents=True)
    (etc / "earnest.conf").write_text(re.sub(r'"(/(?:var|run)/)', rf'"{tmp_path}\1', conf), encoding="utf-8")
    autopkgtest("smoke", installed, tmp_path, EARNEST_TEST_ROOT=str(tmp_path))


def test_one_version_everywhere():
    meson = re.search(r"version: '([\d.]+)'", (SOURCES / "meson.build").read_text(encoding="utf-8"))[1]
    changes = (DEBIAN / "changelog").read_text(encoding="utf-8")
    assert re.match(r"earnest \(([\d.]+)\)", changes)[1] == meson


def instructions():
    """[[instruction of each line], ...] of each stage of the Containerfile: (word, rest)."""
    stages = []
    for line in (SOURCES / "Containerfile").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            word, rest = line.split(" ", 1)
            if word == "FROM":
                stages.append([])
            stages[-1].append((word, rest))
    return stages


def test_the_container_is_not_root_and_needs_no_shell():
    build, last = instructions()
    assert build[0][1].endswith(" AS build") and last[0] == ("FROM", "scratch")
    said = dict(last)
    assert "RUN" not in said
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", said["USER"])
    for word in ("ENTRYPOINT", "CMD"):
        assert isinstance(json.loads(said[word]), list)
    assert isinstance(json.loads(said["HEALTHCHECK"].split("CMD ")[1]), list)
    for word, rest in build:
        if word == "RUN" and not rest.startswith("apt-get ") and "dpkg-buildpackage" not in rest:
            assert os.access(SOURCES / rest.split()[0], os.X_OK), rest
    users = re.search(r"^echo '(earnest:\S+ .*)' >", (SOURCES / "service/container-root").read_text("utf-8"), re.M)[1]
    assert users.split(":")[2:4] == said["USER"].split(":")


# ---- the exam ----


@pytest.fixture(name="packages", scope="module")
def build_packages(tmp_path_factory):
    """The folder with the packages, built from the files that git knows."""
    need("dpkg-buildpackage", "dh", "meson")
    folder = tmp_path_factory.mktemp("packages")
    names = run("git", "-C", SOURCES, "ls-files", "-co", "--exclude-standard").splitlines()
    for name in names:
        if os.path.lexists(SOURCES / name):
            (folder / "earnest" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(SOURCES / name, folder / "earnest" / name, follow_symlinks=False)
    run("dpkg-buildpackage", "-us", "-uc", "-b", cwd=folder / "earnest",
        env={**os.environ, "DEB_BUILD_OPTIONS": "nocheck parallel=2"})
    return folder


@pytest.mark.exam
def test_the_packages_are_there(packages):
    names = sorted(path.name.split("_")[0] for path in packages.glob("*.deb"))
    assert names == ["earnest", "earnest-dbgsym", "libearnest-dev", "libearnest1", "libearnest1-dbgsym"]


@pytest.mark.exam
def test_lintian_has_nothing_to_say(packages):
    need("lintian")
    changes, = packages.glob("*.changes")
    said = run("lintian", "--allow-root", "--no-cfg", "--fail-on", "error,warning", changes)
    assert not re.search(r"^[EW]: ", said, re.M), said


@pytest.mark.exam
def test_packages_work_where_they_are_unpacked(packages, tmp_path):
    root = tmp_path / "root"
    for path in packages.glob("*.deb"):
        run("dpkg-deb", "-x", path, root)
    need("curl", "gcc", "pkg-config")
    for name in ("smoke", "embed"):
        (tmp_path / name).mkdir()
    autopkgtest("embed", root, tmp_path / "embed")
    (tmp_path / "etc/earnest").mkdir(parents=True)
    (tmp_path / "etc/earnest/earnest.conf").write_text(f'route "/" {{ files = "{root}" }}\n', encoding="utf-8")
    autopkgtest("smoke", root, tmp_path / "smoke", EARNEST_TEST_ROOT=str(tmp_path))


# Upon this system, a layer that takes what is changed, and that is gone with its namespace.
COPY = """set -e
mkdir -p "$1"
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mkdir -p "$1/root/mnt"
mount --bind "$2" "$1/root/mnt"
exec chroot "$1/root" sh -euc "$3"
"""
CYCLE = """
rm -rf /var/www/html
dpkg --force-depends -i /mnt/libearnest1_*.deb /mnt/libearnest-dev_*.deb /mnt/earnest_*.deb >/mnt/dpkg.log 2>&1
getent passwd earnest >/dev/null
test -e /var/www/html/index.html
for folder in /var/log/earnest /var/lib/earnest /run/earnest; do install -d -o earnest -g earnest "$folder"; done
setpriv --reuid=earnest --regid=earnest --clear-groups earnest check /etc/earnest/earnest.conf
setpriv --reuid=earnest --regid=earnest --clear-groups earnest serve -c /etc/earnest/earnest.conf &
server=$!
for i in 1 2 3 4 5 6 7 8 9 10; do curl -sf -o /dev/null http://127.0.0.1:8080/ && break; sleep 0.3; done
curl -sf http://127.0.0.1:8080/ | cmp - /var/www/html/index.html
earnest status | grep -q connections
kill $server
wait $server
grep -q 'GET / HTTP' /var/log/earnest/access.log
logrotate -d /etc/logrotate.d/earnest 2>&1 | grep -q 'rotating pattern: /var/log/earnest'
/mnt/earnest/debian/tests/smoke
/mnt/earnest/debian/tests/embed
dpkg --purge --force-depends earnest libearnest-dev libearnest1 >>/mnt/dpkg.log 2>&1
test ! -e /etc/earnest/earnest.conf && test ! -e /var/log/earnest && test ! -e /usr/bin/earnest
test -e /var/www/html/index.html
"""


@pytest.mark.exam
def test_dpkg_installs_and_purges(packages, tmp_path):
    need("unshare", "setpriv", "curl", "logrotate")
    if os.geteuid() != 0:
        pytest.skip("not root")
    run("unshare", "--mount", "--net", "--pid", "--fork", "sh", "-c",
        "ip link set lo up 2>/dev/null || true\n" + COPY, "sh", tmp_path / "copy", packages, CYCLE)


# What the Containerfile does after its packages are there, with a copy of this system in the place of its
# first image, and a folder in that of its second.
CONTAINER = """
ln -s /mnt/earnest /source
cd /source
{steps}
test ! -e /image/bin && test ! -e /image/bin/sh && test ! -e /image/usr/bin/dpkg
chown -R {user} /image/var/lib/earnest /image/run/earnest
du -sm /image >/tmp/size
mkdir /image/dev /image/proc
mount --rbind /dev /image/dev
mount -t proc proc /image/proc
run() {{ chroot --userspec={user} /image "$@"; }}
! run {health} 2>/dev/null
run {start} >/tmp/log 2>&1 &
server=$!
for i in 1 2 3 4 5 6 7 8 9 10; do curl -sf -o /dev/null http://127.0.0.1:8080/ && break; sleep 0.3; done
curl -sf http://127.0.0.1:8080/ | cmp - /source/service/index.html
curl -s http://127.0.0.1:8080/none | grep -q '"rule":"missing"'
run {health} | grep -q connections
test "$(stat -c %u /proc/$(pgrep -x -n earnest))" = {uid}
kill $(pgrep -x -o earnest)
wait $server
grep -q '"GET / HTTP/1.1" 200' /tmp/log
cat /tmp/size
"""


@pytest.mark.exam
def test_the_container_as_far_as_it_goes_without_an_engine(packages, tmp_path, figure):
    need("unshare", "curl", "pgrep")
    if os.geteuid() != 0:
        pytest.skip("not root")
    build, last = instructions()
    said = dict(last)
    # The package has been built: by the same command, of the same sources.
    steps = [rest for word, rest in build if word == "RUN" and not rest.startswith("apt-get ")
             and "dpkg-buildpackage" not in rest]
    assert steps
    line = CONTAINER.format(steps="\n".join(steps).replace("../", "/mnt/"), user=said["USER"],
                            uid=said["USER"].split(":")[0],
                            health=" ".join(json.loads(said["HEALTHCHECK"].split("CMD ")[1])),
                            start=" ".join(json.loads(said["ENTRYPOINT"]) + json.loads(said["CMD"])))
    out = run("unshare", "--mount", "--net", "--pid", "--fork", "sh", "-c",
              "ip link set lo up 2>/dev/null || true\n" + COPY, "sh", tmp_path / "copy", packages, line)
    figure("image", int(out.split()[-2]), "MiB")


@pytest.mark.exam
def test_the_container_with_an_engine(tmp_path):
    engine = next((name for name in ("podman", "docker") if shutil.which(name) and
                   subprocess.run([name, "info"], capture_output=True, timeout=60, check=False).returncode == 0), None)
    if not engine:
        pytest.skip("no container engine runs here")
    run(engine, "build", "-t", "earnest-test", "-f", SOURCES / "Containerfile", SOURCES)
    (tmp_path / "a.txt").write_text("hello\n", encoding="utf-8")
    port, name = free_port(), f"earnest-test-{os.getpid()}"
    run(engine, "run", "-d", "--rm", "--name", name, "--read-only", "--tmpfs", "/run/earnest", "-p",
        f"127.0.0.1:{port}:8080", "-v", f"{tmp_path}:/var/www/html:ro", "earnest-test")
    try:
        run("curl", "-sf", "--retry", "10", "--retry-connrefused", f"http://127.0.0.1:{port}/a.txt")
        run(engine, "exec", name, "/usr/bin/earnest", "status")
    finally:
        run(engine, "stop", name)
