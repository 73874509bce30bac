#!/usr/bin/env python3
"""Installs Posthorn into a folder, builds modules/example there against nothing but the installed headers, as somebody
with a module of their own would, and talks to it."""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile

import posthorn_server
from posthorn_server import BUILD, SOURCE, Failure


def run(*command, **more):
    # Not as a part of the make that runs the tests.
    environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    environment.update(more)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
                          check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def makefile_value(name):
    return re.search(rf"^{name} = (.*)$", (BUILD / "Makefile").read_text(), re.M)[1]


def build_module(root, prefix, folder):
    """Compiles example.c with what posthorn.pc says."""
    packages = root / prefix.lstrip("/") / "lib" / "pkgconfig"
    flags = run("pkg-config", f"--define-variable=prefix={root}{prefix}", "--cflags", "posthorn",
                PKG_CONFIG_PATH=str(packages)).split()
    compiler = makefile_value("CC").split()
    run(*compiler, "-std=c17", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fvisibility=hidden", *flags,
        str(SOURCE / "modules" / "example" / "example.c"), "-o", str(folder / "example.so"))


def talk(server):
    with socket.create_connection(server.address("example"), posthorn_server.PATIENCE) as client:
        lines = client.makefile("rwb")
        if lines.readline() != b"Hello from outside.\r\n":
            raise Failure("the module did not greet")
        lines.write(b"anybody there?\r\n")
        lines.flush()
        if lines.readline() != b"anybody there?\r\n":
            raise Failure("the module did not answer")


def test_out_of_tree():
    posthorn_server.require("pkg-config", "make")
    root = pathlib.Path(tempfile.mkdtemp(prefix="posthorn-root-"))
    try:
        root.chmod(0o755)
        run("make", "-C", str(BUILD), "install", f"DESTDIR={root}")
        prefix = makefile_value("prefix")
        folder = root / "modules"
        folder.mkdir()
        build_module(root, prefix, folder)
        lines = (f'module_directories = {{ {posthorn_server.lua_text(folder)} }}\n'
                 'example = { greeting = "Hello from outside." }')
        with posthorn_server.Server(modules=("example",), accounts=(), standard_listeners=False, config=lines,
                                    listeners={"example": posthorn_server.LISTENERS["example"]},
                                    program=root / prefix.lstrip("/") / "bin" / "posthorn") as server:
            talk(server)
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    posthorn_server.require_server()
    posthorn_server.main([test_out_of_tree])
