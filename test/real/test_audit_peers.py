# SPDX-License-Identifier: Apache-2.0
"""`earnest audit` of the servers that Debian has, as they come, and of Earnest. The table is kept in
build/artefacts/audit.md; doc/audit.md has that of one day."""
import contextlib
import datetime
import json
import re
import subprocess

import pytest

from earnest_server import PROGRAM, Server, await_port, free_port
from real import ARTEFACTS, route, tool

NGINX = """
daemon off;
master_process off;
pid FOLDER/nginx.pid;
error_log FOLDER/nginx.log;
events {}
http {
    access_log off;
    client_body_temp_path FOLDER/t1;
    proxy_temp_path FOLDER/t2;
    fastcgi_temp_path FOLDER/t3;
    uwsgi_temp_path FOLDER/t4;
    scgi_temp_path FOLDER/t5;
    server {
        listen 127.0.0.1:PORT;
        listen 127.0.0.1:ALSO http2;
        root FOLDER/root;
    }
}
"""
APACHE = """
ServerRoot FOLDER
ServerName localhost
Listen 127.0.0.1:PORT
PidFile FOLDER/apache.pid
ErrorLog FOLDER/apache.log
User www-data
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
LoadModule dav_module /usr/lib/apache2/modules/mod_dav.so
LoadModule dav_fs_module /usr/lib/apache2/modules/mod_dav_fs.so
LoadModule http2_module /usr/lib/apache2/modules/mod_http2.so
Protocols h2c http/1.1
DavLockDB FOLDER/locks/lock
DocumentRoot FOLDER/root
<Directory FOLDER/root/area>
    Dav On
</Directory>
"""
LIGHTTPD = """
server.bind = "127.0.0.1"
server.port = PORT
server.document-root = "FOLDER/root"
server.errorlog = "FOLDER/lighttpd.log"
server.modules = ("mod_webdav")
$HTTP["url"] =~ "^/area/" {
    webdav.activate = "enable"
    webdav.sqlite-db-name = "FOLDER/locks/webdav.db"
}
"""
H2O = """
listen:
  host: 127.0.0.1
  port: PORT
user: www-data
hosts:
  default:
    paths:
      /:
        file.dir: FOLDER/root
"""
CADDY = """
{
    admin off
    auto_https off
    servers {
        protocols h1 h2c
    }
}
http://127.0.0.1:PORT {
    root * FOLDER/root
    file_server
}
"""
PEERS = {  # the program, its package, its configuration, how it is told it, and can it write?
    "nginx": ("nginx", "nginx-light", NGINX, ["-e", "stderr", "-c"], ["-v"], False),
    "Apache": ("apache2", "apache2", APACHE, ["-D", "FOREGROUND", "-f"], ["-v"], True),
    "lighttpd": ("lighttpd", "lighttpd", LIGHTTPD, ["-D", "-f"], ["-v"], True),
    "h2o": ("h2o", "h2o", H2O, ["-c"], ["-v"], False),
    "Caddy": ("caddy", "caddy", CADDY, ["run", "--adapter", "caddyfile", "--config"], ["version"], False),
}


def prepare(folder):
    (folder / "root/dir").mkdir(parents=True)
    for name in ("root/area", "locks", "state"):
        (folder / name).mkdir()
        (folder / name).chmod(0o777)
    for name in ("root/dir/page.txt", "root/area/page.txt"):
        (folder / name).write_text("A line of a page.\n" * 400, encoding="ascii")
    for path in (folder, folder.parent, folder.parent.parent):
        path.chmod(0o755)  # for servers that change their user


@contextlib.contextmanager
def peer(folder, name):
    """The server, on a port of its own, and one where it speaks HTTP/2."""
    program, package, text, options, _, _ = PEERS[name]
    port, also = free_port(), free_port()
    path = folder / f"{program}.conf"
    path.write_text(text.replace("FOLDER", str(folder)).replace("PORT", str(port)).replace("ALSO", str(also)),
                    encoding="utf-8")
    with open(folder / f"{program}.out", "wb") as out, \
            subprocess.Popen([tool(program, package), *options, path], stdout=out, stderr=out,
                             stdin=subprocess.DEVNULL) as process:
        try:
            await_port(port, process, folder / f"{program}.out")
            yield port, also if "ALSO" in text else port
        finally:
            process.terminate()
            process.wait(10)


def audit(port, writes, h2=False):
    url = f"http://127.0.0.1:{port}"
    area = ["--write", url + "/area/"] if writes else []
    done = subprocess.run([PROGRAM, "audit", "--json", *(["--h2"] if h2 else []), *area, url + "/dir/page.txt"],
                          capture_output=True, timeout=120, check=False)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def version(name):
    program, package, _, _, option, _ = PEERS[name]
    done = subprocess.run([tool(program, package), *option], capture_output=True, check=True)
    return re.search(rb"\d+\.\d+[.\d]*", done.stdout + done.stderr)[0].decode()


@pytest.fixture(scope="module", name="found")
def gather():
    """What was found of each server; when all were asked, the table is written."""
    tables = {"HTTP/1.1": {}, "HTTP/2": {}}
    yield tables
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    text = f"Asked on {datetime.date.today()}.\n"
    for version_asked, table in tables.items():
        text += f"\n### Over {version_asked}\n\n" + write(table)
    (ARTEFACTS / "audit.md").write_text(text, encoding="utf-8")


def write(table):
    """The table: a row a code that some server earns or gets wrong."""
    codes = {}
    for name, found in table.items():
        for code in found["codes"]:
            codes.setdefault((code["code"], code["phrase"]), {})[name] = code["verdict"]
    lines = [f"| code | {' | '.join(table)} |",
             "| --- |" + " --- |" * len(table)]
    lines += [f"| {code} {phrase} | " + " | ".join(row.get(name, "") for name in table) + " |"
              for (code, phrase), row in codes.items() if set(row.values()) != {"absent"}]
    for name, found in table.items():
        lines += ["", f"**{name}**: {found['wrong']} rows are wrong.", ""]
        lines += [f"- {code['code']} `{row['name']}`, {row['source']}: {row['sentence']}; {row['found']}"
                  for code in found["codes"] for row in code["probes"] if row["verdict"] == "wrong"]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def test_earnest(found, tmp_path):
    prepare(tmp_path)
    with Server(tmp_path, f'state = "{tmp_path}/state"\n' + route(tmp_path / "root") +
                f'route "/area/" {{ files = "{tmp_path}/root/area" write = true infinite = true tombstones = "1d" }}') as server:
        for h2, table in enumerate(found.values()):
            table["Earnest"] = audit(server.port, True, h2)
    assert [table["Earnest"]["wrong"] for table in found.values()] == [0, 0]


@pytest.mark.parametrize("name", PEERS)
def test_a_server_that_people_use(found, tmp_path, name):
    """What it earns is found: these have the codes that every server of files has."""
    title = f"{name} {version(name)}"
    prepare(tmp_path)
    with peer(tmp_path, name) as ports:
        for h2, table in enumerate(found.values()):
            table[title] = audit(ports[h2], PEERS[name][5], h2)
    for h2, table in enumerate(found.values()):
        earned = {code["code"] for code in table[title]["codes"] if code["verdict"] == "earned"}
        wrong = {code["code"] for code in table[title]["codes"] if code["verdict"] == "wrong"}
        assert {200, 206, 304, 404, 412} | (set() if h2 else {400}) <= earned | wrong
        assert 404 in earned and (301 in earned or name == "Caddy")  # which says 308
