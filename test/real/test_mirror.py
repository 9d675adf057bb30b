# SPDX-License-Identifier: Apache-2.0
"""wget --mirror walks the listings and brings back every file, byte for byte."""
import os
import pathlib
import shutil
import urllib.parse

from earnest_server import Server
from real import ODD_NAMES, figure, in_both_sizes, logged, route, run, tool, url

DOC = pathlib.Path("/usr/share/doc")
QUICK_FILES = 300
LISTING = ".listing.html"  # what wget calls a listing; no served file is called so


def odd_tree(root):
    """Folders and files with difficult names."""
    for name in ODD_NAMES:
        folder = root / "odd" / name
        folder.mkdir(parents=True)
        (folder / f"{name}.bin").write_bytes(name.encode() * 7)
    with open(os.fsencode(root / "odd") + b"/latin-\xfc.bin", "wb") as file:
        file.write(b"a name that is not UTF-8")


def documentation(root, limit):
    """Copies folders of DOC, links as links, until there are limit files."""
    root.mkdir()
    n = 0
    for folder in sorted(DOC.iterdir()):
        if n >= limit:
            return
        if folder.is_dir() and not folder.is_symlink():
            shutil.copytree(folder, root / folder.name, symlinks=True)
            n += sum(len(files) for _, _, files in os.walk(folder))


def oracle(root):
    """The files that a client can reach by listings, and how many are left out, by reason."""
    files, left_out = {}, {"hidden": 0, "link out of the root": 0}
    top = os.path.realpath(root)
    for where, folders, names in os.walk(root):
        for name in list(folders) + names:
            path = os.path.join(where, name)
            if name.startswith("."):
                left_out["hidden"] += 1
                folders[:] = [other for other in folders if other != name]
            elif os.path.islink(path) and not reaches(path, top):
                left_out["link out of the root"] += 1
            elif os.path.isfile(path):
                files[os.path.relpath(path, root)] = path
    return files, left_out


def reaches(link, top):
    """Does the link stay below the root at every step? An absolute one does not."""
    for _ in range(40):
        if not os.path.islink(link):
            break
        target = os.readlink(link)
        if os.path.isabs(target):
            return False
        link = os.path.normpath(os.path.join(os.path.dirname(link), target))
    real = os.path.realpath(link)
    return os.path.exists(real) and (real + "/").startswith(top + "/")


def mirror(server, into):
    run(tool("wget"), "--mirror", "--no-verbose", "--no-parent", "--no-host-directories",
        "--no-iri", "--restrict-file-names=nocontrol", f"--default-page={LISTING}", "-e", "robots=off",
        "--reject-regex", "[?](sort|order)=", "--directory-prefix", into, url(server),
        codes=(0, 8),  # 8: a page of the documentation links to what is not there
        timeout=900)


def saved_as(name):
    """wget 1.21 decodes the name of a file twice: %41 was asked for as %2541, and is kept as A."""
    folder, file = os.path.split(name)
    return os.path.join(folder, urllib.parse.unquote(file, errors="surrogateescape"))


def compare(files, into):
    missing, wrong, stale = [], [], []
    for name, path in files.items():
        brought = os.path.join(into, saved_as(name))
        if not os.path.isfile(brought):
            missing.append(name)
            continue
        with open(path, "rb") as ours, open(brought, "rb") as theirs:
            if ours.read() != theirs.read():
                wrong.append(name)
        if int(os.stat(path).st_mtime) != int(os.stat(brought).st_mtime):
            stale.append(name)
    assert not missing, f"{len(missing)} of {len(files)} did not come: {missing[:10]}"
    assert not wrong, f"{len(wrong)} of {len(files)} are not the same: {wrong[:10]}"
    assert not stale, f"{len(stale)} came without their date: {stale[:10]}"
    known = {saved_as(name) for name in files}
    # A folder may come through a link as well; then what is in it must be the same file.
    for where, _, names in os.walk(into):
        for name in names:
            path = os.path.relpath(os.path.join(where, name), into)
            assert path in known or name == LISTING or is_linked(path, files), f"{path} is extra"


def is_linked(path, files):
    root = os.path.commonpath(list(files.values()))
    return os.path.isfile(os.path.join(root, path))


@in_both_sizes
def test_mirror(tmp_path, size):
    tool("wget")
    root = tmp_path / "root"
    documentation(root, QUICK_FILES if size == "quick" else 1 << 30)
    odd_tree(root)
    files, left_out = oracle(root)
    into = tmp_path / "mirror"
    config = route(root, 'index = { ".none" }')
    server = Server(tmp_path, config)
    with server:
        mirror(server, into)
    compare(files, into)
    figure(f"wget --mirror ({size}), files the same",
           f"{len(files)}; left out: {', '.join(f'{n} {why}' for why, n in left_out.items())}")
    assert not [code for code in logged(server) if code >= 500]
    server.log_path.unlink()
    with server:
        mirror(server, into)
    again = logged(server)
    assert again.count(304) >= len(files), "If-Modified-Since of wget -N was not understood"
    compare(files, into)
