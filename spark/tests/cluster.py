"""A real cluster for the tests: two workers, each with an executor and a core of its own, on this machine."""

import atexit
import functools
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import pyspark

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPARK = ROOT / "spark"
sys.path.insert(0, str(SPARK))

MASTER = "local-cluster[2,1,1024]"
# A virtual machine of these tests lasts for seconds: the compiler for what runs long would cost more than it gives back.
SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
WORK = pathlib.Path(tempfile.mkdtemp(prefix="audience-gate-spark-"))
atexit.register(shutil.rmtree, WORK, ignore_errors=True)
CONF = {
    "spark.master": MASTER,
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.speculation": "true",
    "spark.speculation.quantile": "0.5",
    "spark.speculation.multiplier": "1.1",
    "spark.speculation.minTaskRuntime": "10ms",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.extraJavaOptions": SHORT_LIVED,
    "spark.executor.extraJavaOptions": SHORT_LIVED,
}

# Workers keep their files and logs under SPARK_HOME, so that is a folder of links: nothing is written into the package.
HOME = WORK / "spark"
HOME.mkdir()
for part in pathlib.Path(pyspark.__file__).parent.iterdir():
    (HOME / part.name).symlink_to(part)
os.environ |= {
    "SPARK_HOME": str(HOME),
    "SPARK_LOCAL_IP": "127.0.0.1",
    "PYSPARK_PYTHON": sys.executable,
    "AUDIENCE_GATE_EMAIL_PEPPER": "pepper-of-the-tests",
}


@functools.cache
def gate():
    """The native gate, built if it is not yet."""
    command = ["cargo", "build", "--release", "--locked", "--quiet", "-p", "audience-gate-cli"]
    subprocess.run(command, cwd=ROOT, check=True)
    return str(pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "audience-gate")


@functools.cache
def session():
    """One session for all tests, because starting one costs as much as everything that a test does with it."""
    import judge
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("audience-gate tests")
    for name, value in (judge.SETTINGS | CONF).items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


def judge_files(*words):
    """Runs the job in the session that is there, and returns why it failed, if it did."""
    import judge

    options = judge.arguments([str(word) for word in words] + ["--gate", gate()] * ("--gate" not in words))
    try:
        judge.run(session(), options)
    except Exception as error:  # noqa: BLE001 - as `main` does
        return judge.reason(error)
    return None


def submit(log, *words):
    """Starts a driver of its own, as a user does, in a process group of its own."""
    conf = [word for name, value in CONF.items() for word in ("--conf", f"{name}={value}")]
    command = [HOME / "bin" / "spark-submit", *conf, SPARK / "judge.py", "--gate", gate(), *words]
    return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def end(process):
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def executors():
    """The processes that the session's driver started as executors."""
    driver = session()._jvm.java.lang.ProcessHandle.current().pid()
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                command = (folder / "cmdline").read_text()
            except (OSError, IndexError):
                continue  # It has ended meanwhile.
            if parent == driver and "CoarseGrainedExecutorBackend" in command:
                found.append(int(folder.name))
    return found
