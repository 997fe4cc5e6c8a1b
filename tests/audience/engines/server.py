"""A real Spark Connect server on this machine, small, for the length of a test session."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyspark

_CONF = {
    "spark.ui.enabled": "false",
    "spark.connect.grpc.binding.address": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.artifact.isolation.enabled": "false",
}


@contextmanager
def spark_server(folder: Path) -> Iterator[str]:
    """Its address."""
    home = Path(pyspark.__file__).parent
    port = _free_port()
    conf = _CONF | {"spark.connect.grpc.binding.port": str(port), "spark.local.dir": str(folder / "scratch")}
    options = [part for name, value in conf.items() for part in ("--conf", f"{name}={value}")]
    command = [
        str(home / "bin" / "spark-submit"), "--master", "local[1]", "--driver-memory", "900m", *options,
        "--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal",
    ]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "spark.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, cwd=folder, stdout=out, stderr=out, env=os.environ | {"SPARK_HOME": str(home)}
        )
    try:
        _await(server, log)
        yield f"sc://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


def _await(server: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 180
    while not re.search(r"Spark Connect server started", log.read_text(errors="replace")):
        if server.poll() is not None or time.monotonic() > until:
            raise RuntimeError("the Spark server did not start:\n" + log.read_text(errors="replace")[-2000:])
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
