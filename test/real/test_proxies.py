# SPDX-License-Identifier: Apache-2.0
"""Gateways that people use say who asks, in each way that they have."""
import contextlib
import re
import subprocess

import pytest

from earnest_server import Server, Wire, await_port, free_port
from real import route, tool

HAPROXY = """
global
    maxconn 100
defaults
    timeout connect 5s
    timeout client 5s
    timeout server 5s
listen front
    mode %s
    %s
    bind 127.0.0.1:%d
    server one 127.0.0.1:%d %s
"""
NGINX = """
daemon off;
master_process off;
pid FOLDER/nginx.pid;
error_log FOLDER/nginx.log;
events {}
http {
    access_log off;
    CONFIG_TEMP
    server {
        listen 127.0.0.1:%d;
        location / {
            proxy_pass http://127.0.0.1:%d;
            proxy_http_version 1.1;
            %s
        }
    }
}
"""
TEMP = "".join(f"{kind}_temp_path FOLDER/{kind};" for kind in
               ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
# What the gateway adds, and what a client would have believed of it.
X = "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
F = 'proxy_set_header Forwarded "$http_forwarded, for=$remote_addr";'
FORGED = b"X-Forwarded-For: 192.0.2.66\r\nForwarded: for=192.0.2.66\r\n"


@contextlib.contextmanager
def gateway(folder, port, command):
    with open(folder / "gateway.log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        await_port(port, process, folder / "gateway.log")
        yield
    finally:
        process.terminate()
        process.wait(10)


def haproxy(folder, port, behind, mode="tcp", front="", server=""):
    path = folder / "haproxy.cfg"
    path.write_text(HAPROXY % (mode, front, port, behind, server), encoding="utf-8")
    return [tool("haproxy"), "-db", "-f", path]


def nginx(folder, port, behind, lines):
    path = folder / "nginx.conf"
    text = (NGINX % (port, behind, lines)).replace("CONFIG_TEMP", TEMP).replace("FOLDER", str(folder))
    path.write_text(text, encoding="utf-8")
    return [tool("nginx", "nginx-light"), "-c", path, "-e", folder / "nginx.log"]


WAYS = {
    "haproxy send-proxy": (haproxy, {"server": "send-proxy"}, "", True),
    "haproxy send-proxy-v2": (haproxy, {"server": "send-proxy-v2"}, "", True),
    "haproxy send-proxy-v2 crc32c": (
        haproxy, {"server": "send-proxy-v2 proxy-v2-options crc32c,unique-id",
                  "front": "unique-id-format %%{+X}o%%ci:%%cp"}, "", True),
    "haproxy send-proxy-v2 and h2c": (
        haproxy, {"mode": "http", "server": "proto h2 send-proxy-v2"}, "", True),
    "haproxy forwardfor": (haproxy, {"mode": "http", "front": "option forwardfor"}, "", False),
    "nginx x-forwarded": (nginx, {"lines": X}, "", False),
    "nginx forwarded": (nginx, {"lines": F}, 'forwarded = "forwarded"\n', False),
}


@pytest.mark.parametrize("name", WAYS)
def test_who_asks(tmp_path, name):
    """127.0.0.2 asks, through a gateway at 127.0.0.1."""
    command, options, config, proxied = WAYS[name]
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.txt").write_bytes(b"content\n")
    port = free_port()
    server = Server(tmp_path, 'trusted = { "127.0.0.1" }\n' + config + route(root),
                    "proxy_protocol = true" if proxied else "")
    with server, gateway(tmp_path, port, command(tmp_path, port, server.port, **options)):
        for _ in range(3):
            with Wire(port, source="127.0.0.2") as wire:
                wire.send(b"GET /a.txt HTTP/1.1\r\nHost: a.example\r\n" + FORGED + b"\r\n")
                assert wire.answer("GET").content == b"content\n"
    log = server.log_path.read_text(encoding="ascii")
    assert re.findall(r"^(\S+) ", log, re.M) == ["127.0.0.2"] * 3
