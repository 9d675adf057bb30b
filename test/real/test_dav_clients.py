# SPDX-License-Identifier: Apache-2.0
"""WebDAV clients that people use write to a folder: litmus, cadaver, rclone, davfs2, git, curl, gio."""
import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest

from earnest_server import Server
from real import ODD_NAMES, figure, logged, random_file, run, sha256, tool, url

MARK = 100.0  # of litmus, in per cent


@pytest.fixture(name="root")
def empty_folder(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    return root


def writable(root, *more):
    lines = "\n".join(more)
    return (f'state = "{root}.state"\nroute "/" {{\nfiles = "{root}"\nlisting = true\nwrite = true\n'
            f"{lines}\n}}\n")


@pytest.mark.parametrize("suite", ["basic", "copymove", "props", "locks", "http"])
def test_litmus(tmp_path, root, suite):
    """Each suite of litmus 0.13, without a failure and without a warning."""
    tool("litmus")
    program = pathlib.Path("/usr/libexec/litmus") / suite
    with Server(tmp_path, writable(root)) as server:
        out = run(program, "--htdocs", "/usr/share/litmus/htdocs", url(server), cwd=tmp_path, codes=(0, 1)).decode(errors="replace")
    summary = re.search(r"of (\d+) tests run: (\d+) passed, (\d+) failed\. ([\d.]+)%", out)
    assert summary, out
    figure(f"litmus {suite}", summary[0])
    assert float(summary[4]) == MARK, out
    assert "WARNING" not in out, out


def test_cadaver(tmp_path, root):
    """Folders, files, properties and locks by cadaver's commands."""
    source = random_file(tmp_path / "source.bin", 100000)
    script = f"""mkcol one
cd one
put {source} a.bin
copy a.bin b.bin
move b.bin c.bin
lock a.bin
propset a.bin colour green
propget a.bin colour
unlock a.bin
delete c.bin
get a.bin {tmp_path}/back.bin
cd ..
mkcol two
copy one/a.bin two/
ls two
rmcol two
quit
"""
    with Server(tmp_path, writable(root)) as server:
        done = subprocess.run([tool("cadaver"), url(server)], input=script.encode(), check=False,
                              capture_output=True, timeout=60, env={**os.environ, "HOME": tmp_path})
    out = done.stdout.decode(errors="replace")
    assert "failed" not in out, out
    assert "Value of colour is: green" in out
    assert sha256(tmp_path / "back.bin") == sha256(source) == sha256(root / "one/a.bin")
    assert sorted(p.name for p in root.iterdir() if p.name != ".earnest") == ["one"]
    assert sorted(p.name for p in (root / "one").iterdir()) == ["a.bin"]


def tree(folder, n):
    for i in range(n):
        place = folder / f"d{i % 20}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{i}.txt").write_bytes(os.urandom(i % 5000))
    for name in ODD_NAMES:
        (folder / name).write_text(name, encoding="utf-8")
    return folder


def test_rclone(tmp_path, root):
    """rclone syncs 1,000 files up, checks them, syncs a change, and back down."""
    rclone = tool("rclone")
    names = tree(tmp_path / "local", 1000)
    with Server(tmp_path, writable(root)) as server:
        environment = {"RCLONE_CONFIG": str(tmp_path / "rclone.conf"), "HOME": str(tmp_path),
                       "RCLONE_WEBDAV_URL": url(server), "RCLONE_WEBDAV_VENDOR": "other"}
        start = time.monotonic()
        run(rclone, "sync", names, ":webdav:", env=environment)
        figure("rclone sync of 1,000 files, s", round(time.monotonic() - start, 1))
        run(rclone, "check", "--download", names, ":webdav:", env=environment)
        (names / "d0" / "0.txt").write_text("changed")
        (names / "d1" / "1.txt").unlink()
        shutil.move(names / "d2", names / "e2")
        run(rclone, "sync", "--checksum", names, ":webdav:", env=environment)
        run(rclone, "check", "--download", names, ":webdav:", env=environment)
        run(rclone, "moveto", ":webdav:d3/3.txt", ":webdav:moved.txt", env=environment)
        run(rclone, "copy", ":webdav:", tmp_path / "back", env=environment)
        run(rclone, "purge", ":webdav:d4", env=environment)
    assert (tmp_path / "back/moved.txt").read_bytes() == (names / "d3/3.txt").read_bytes()
    assert not (root / "d4").exists()
    for name in ODD_NAMES:
        assert (tmp_path / "back" / name).read_text(encoding="utf-8") == name


def test_davfs2(tmp_path, root):
    """A mount of the folder: write, append, rename, remove, and read back."""
    mount = tool("mount.davfs", "davfs2")
    if os.geteuid() != 0 or not pathlib.Path("/dev/fuse").exists():
        pytest.skip("to mount needs root and /dev/fuse")
    place = tmp_path / "mount"
    place.mkdir()
    conf = tmp_path / "davfs2.conf"
    conf.write_text("use_locks 1\nask_auth 0\ncache_dir /var/cache/davfs2\ndelay_upload 0\n")
    with Server(tmp_path, writable(root)) as server:
        run(mount, url(server), place, "-o", f"conf={conf}")
        try:
            source = random_file(tmp_path / "source.bin", 3 << 20)
            shutil.copy(source, place / "a.bin")
            (place / "folder").mkdir()
            (place / "folder" / "b.txt").write_text("one\n")
            with open(place / "folder" / "b.txt", "a", encoding="ascii") as file:
                file.write("two\n")
            os.rename(place / "a.bin", place / "folder" / "বাংলা.bin")
            (place / "gone.txt").write_text("x")
            os.remove(place / "gone.txt")
        finally:
            run("umount", place)
    assert sha256(root / "folder/বাংলা.bin") == sha256(source)
    assert (root / "folder/b.txt").read_text() == "one\ntwo\n"
    assert not (root / "gone.txt").exists() and not (root / "a.bin").exists()


def test_git_push(tmp_path, root):
    """git pushes to a bare repository over WebDAV, with its locks, and clones it again."""
    tool("git")
    if not pathlib.Path("/usr/lib/git-core/git-http-push").exists():
        pytest.skip("this git cannot push over WebDAV")
    bare, work = root / "repo.git", tmp_path / "work"
    run("git", "init", "--bare", "-q", bare)
    run("git", "update-server-info", cwd=bare)
    run("git", "init", "-q", "-b", "main", work)
    environment = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "HOME": str(tmp_path),
                   "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org"}
    (work / "a.txt").write_text("one\n")
    run("git", "add", ".", cwd=work, env=environment)
    run("git", "commit", "-qm", "one", cwd=work, env=environment)
    with Server(tmp_path, writable(root)) as server:
        run("git", "http-push", url(server, "/repo.git/"), "refs/heads/main:refs/heads/main",
            cwd=work, env=environment)
        (work / "a.txt").write_text("two\n")
        run("git", "commit", "-qam", "two", cwd=work, env=environment)
        run("git", "http-push", url(server, "/repo.git/"), "refs/heads/main:refs/heads/main",
            cwd=work, env=environment)
        run("git", "update-server-info", cwd=bare)
        run("git", "clone", "-q", "-b", "main", url(server, "/repo.git"), tmp_path / "clone",
            env=environment)
    assert (tmp_path / "clone/a.txt").read_text() == "two\n"
    run("git", "fsck", "--strict", cwd=bare)


def test_curl(tmp_path, root):
    """curl -T, which expects 100-continue; with a range of sizes, and one that is refused."""
    curl = tool("curl")
    with Server(tmp_path, writable(root)) as server:
        for size in (0, 1, 1023, 1 << 20, 30 << 20):
            source = random_file(tmp_path / f"{size}.bin", size)
            out = run(curl, "-sS", "-v", "-T", source, "-H", "Expect: 100-continue", "-w",
                      "%{http_code}", url(server, f"/{size}.bin"))
            assert out[-3:] == b"201"
            assert sha256(root / f"{size}.bin") == sha256(source)
        out = run(curl, "-sS", "-T", source, "-H", "If-None-Match: *", "-H", "Expect: 100-continue",
                  "-w", "%{http_code} %{size_upload}", url(server, f"/{size}.bin"))
        assert out.endswith(b"412 0"), "content was sent that nobody wanted"
        run(curl, "-sS", "-f", "-X", "MKCOL", url(server, "/folder/"))
        out = run(curl, "-sS", "-T", "-", "-w", "%{http_code}", url(server, "/folder/in.txt"))
        assert out[-3:] == b"201" and (root / "folder/in.txt").read_bytes() == b""
    assert 100 not in logged(server)


def test_gio(tmp_path, root):
    """gio, as the file managers of GNOME mount a folder."""
    gio, bus = tool("gio", "libglib2.0-bin"), tool("dbus-run-session", "dbus")
    if not pathlib.Path("/usr/libexec/gvfsd-dav").exists():
        pytest.skip("gvfs has no WebDAV (Debian package gvfs-backends)")
    source = random_file(tmp_path / "source.bin", 200000)
    with Server(tmp_path, writable(root)) as server:
        base = f"dav://127.0.0.1:{server.port}"
        script = (f"{gio} mount {base}/ && {gio} mkdir {base}/one && "
                  f"{gio} copy {source} {base}/one/a.bin && {gio} move {base}/one/a.bin {base}/b.bin"
                  f" && {gio} list {base}/ && {gio} copy {base}/b.bin {tmp_path}/back.bin && "
                  f"{gio} remove {base}/one")
        run(bus, "--", "sh", "-c", script, env={"HOME": str(tmp_path)})
    assert sha256(tmp_path / "back.bin") == sha256(source)
    assert sorted(p.name for p in root.iterdir() if p.name != ".earnest") == ["b.bin"]
