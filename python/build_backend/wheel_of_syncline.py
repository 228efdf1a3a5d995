"""Makes the wheel (PEP 517, PEP 660) from pyproject.toml with the standard library alone.

Why not setuptools: pip builds in an environment of its own and would fetch it from the network.
Here it fetches nothing, on any machine with Python 3.11.
"""

import base64
import hashlib
import pathlib
import tarfile
import tomllib
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAME = f"{PROJECT['name']}-{PROJECT['version']}"
INFO = f"{NAME}.dist-info"
TIME = (1980, 1, 1, 0, 0, 0)        # the same sources make the same bytes


def _metadata():
    return (f"Metadata-Version: 2.1\nName: {PROJECT['name']}\nVersion: {PROJECT['version']}\n"
            f"Summary: {PROJECT['description']}\nRequires-Python: {PROJECT['requires-python']}\n"
            "Description-Content-Type: text/markdown\n\n"
            + (ROOT / PROJECT["readme"]).read_text()).encode()


def _package_files():
    paths = sorted((ROOT / PROJECT["name"]).rglob("*"))
    return [p for p in paths if p.is_file() and "__pycache__" not in p.parts]


def _write_wheel(folder, content):
    scripts = "".join(f"{name} = {call}\n" for name, call in PROJECT["scripts"].items())
    content = {
        **content,
        f"{INFO}/METADATA": _metadata(),
        f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nGenerator: syncline\nRoot-Is-Purelib: true\n"
                         b"Tag: py3-none-any\n",
        f"{INFO}/entry_points.txt": f"[console_scripts]\n{scripts}".encode(),
    }
    record = ""
    name = f"{NAME}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in content.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record += f"{path},sha256={digest},{len(data)}\n"
            wheel.writestr(_entry(path), data)
        wheel.writestr(_entry(f"{INFO}/RECORD"), f"{record}{INFO}/RECORD,,\n")
    return name


def _entry(path):
    entry = zipfile.ZipInfo(path, TIME)
    entry.external_attr = 0o644 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    files = {str(p.relative_to(ROOT)): p.read_bytes() for p in _package_files()}
    return _write_wheel(wheel_directory, files)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return _write_wheel(wheel_directory, {"syncline_checkout.pth": f"{ROOT}\n".encode()})


def build_sdist(sdist_directory, config_settings=None):
    name = f"{NAME}.tar.gz"
    here = [ROOT / "pyproject.toml", ROOT / PROJECT["readme"], pathlib.Path(__file__).resolve()]
    with tarfile.open(pathlib.Path(sdist_directory) / name, "w:gz") as archive:
        for path in [*here, *_package_files()]:
            archive.add(path, f"{NAME}/{path.relative_to(ROOT)}")
    return name
