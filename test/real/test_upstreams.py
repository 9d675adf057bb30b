# SPDX-License-Identifier: Apache-2.0
"""Servers that others wrote, behind the gateway: what they take for a request we have logged as one."""
import contextlib
import pathlib
import re
import socket
import subprocess
import sys
import time

import pytest

from earnest_server import Server, Wire, free_port
from real import tool
from smuggling import cases, inner, logged

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "scenario"))
from test_r01_framing import R01, chunks, hosts  # noqa: E402 pylint: disable=wrong-import-position

NGINX = """
daemon off;
master_process off;
pid FOLDER/nginx.pid;
error_log FOLDER/nginx.log;
events {}
http {
    log_format line '$request';
    access_log FOLDER/seen line;
    TEMP
    server {
        listen 127.0.0.1:PORT;
        location / { return 200 "ok"; }
    }
}
"""
TEMP = "".join(f"{kind}_temp_path FOLDER/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
APACHE = """
ServerRoot FOLDER
PidFile FOLDER/httpd.pid
ServerName a.example
Listen 127.0.0.1:PORT
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
ErrorLog FOLDER/apache.log
LogFormat "%r" line
CustomLog FOLDER/seen line
DocumentRoot FOLDER
"""
HAPROXY = """
global
    log stdout format raw local0
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend front
    bind 127.0.0.1:PORT
    log global
    log-format "%r"
    http-request wait-for-body time 2s
    http-request return status 200 content-type text/plain string ok
"""
NODE = """
require("http").createServer((request, response) => {
    console.log(`${request.method} ${request.url} HTTP/1.1`);
    request.resume();
    request.on("end", () => response.end("ok"));
}).listen(PORT, "127.0.0.1");
"""
PYTHON = """
import http.server
import sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def handle_any(self):
        print(self.requestline, flush=True)
        length = int(self.headers.get("Content-Length", 0))
        if self.headers.get("Transfer-Encoding"):
            while size := int(self.rfile.readline().split(b";")[0], 16):
                self.rfile.read(size + 2)
            while self.rfile.readline().strip():
                pass
        self.rfile.read(length)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else b"ok")
    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = do_OPTIONS = do_FROB = handle_any
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
"""


def written(folder, name, text, port):
    path = folder / name
    path.write_text(text.replace("TEMP", TEMP).replace("FOLDER", str(folder)).replace("PORT", str(port)), encoding="utf-8")
    return path


PEERS = {
    "nginx": lambda folder, port: [tool("nginx", "nginx-light"), "-c", written(folder, "nginx.conf", NGINX, port),
                                   "-e", folder / "nginx.log"],
    "apache": lambda folder, port: [tool("apache2"), "-X", "-d", folder, "-f", written(folder, "httpd.conf", APACHE, port)],
    "haproxy": lambda folder, port: [tool("haproxy"), "-db", "-f", written(folder, "haproxy.cfg", HAPROXY, port)],
    "node": lambda folder, port: [tool("node", "nodejs"), written(folder, "server.js", NODE, port)],
    "python": lambda folder, port: [sys.executable, written(folder, "server.py", PYTHON, port)],
}


@contextlib.contextmanager
def upstream(folder, name):
    """The port of a server, whose requests are lines of the file seen."""
    port = free_port()
    command = PEERS[name](folder, port)
    with open(folder / "seen", "ab") as seen, open(folder / "complaints", "wb") as complaints:
        process = subprocess.Popen([str(word) for word in command], stdout=seen, stderr=complaints, cwd=folder)
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                Wire(port).__exit__()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, (folder / "complaints").read_text()
                time.sleep(0.02)
        yield port
        time.sleep(0.3)  # logs are written late
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("name", PEERS)
def test_smuggling(tmp_path, name, record_property):
    with upstream(tmp_path, name) as port:
        config = (f'route "/" {{ proxy = {{ "http://127.0.0.1:{port}" }} }}\n'
                  "limits { upstream_answer_ms = 3000 upstream_failures_max = 1000000 }")
        with Server(tmp_path, config) as server:
            every = list(cases([*R01, *chunks(), *hosts()]))
            for _, message, victim in every:
                with server.connect() as wire:
                    wire.send(message + inner(victim))
                    wire.send(inner(victim + b"/last"))
                    with contextlib.suppress(OSError):
                        wire.socket.shutdown(socket.SHUT_WR)
                        while wire.more():
                            pass
    ours = {(method, target) for method, target, _ in logged(server.log_path.read_text())}
    seen = re.findall(r"^(\S+) (\S+) HTTP", (tmp_path / "seen").read_text(errors="replace"), re.M)
    record_property("seen", len(seen))
    assert len(seen) > 100
    for method, target in seen:
        assert not target.startswith("/evil"), "content was taken for a request"
        if target.startswith(("/c", "/victim")):
            assert (method, target) in ours, "a request that we did not log"
