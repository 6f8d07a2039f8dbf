"""Build configuration of the package."""

from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
version = {}
exec((here / "BlueJeansMeetingsRestApi" / "version.py").read_text(encoding="utf-8"), version)
extras = {
    "sandbox": ["Flask>=2.2", "trustme>=1.0"],
    "file": ["filelock>=3.12"],
    "cli": ["filelock>=3.12", "platformdirs>=3"],
    "redis": ["redis>=5"],
    "encryption": ["cryptography>=41"],
}
peers = ["requests", "httpx", "requests-oauthlib", "Authlib", "google-auth", "msal", "azure-identity"]
benchmarks = [*peers, "trustme>=1.0", "matplotlib", "filelock", "redis"]

setup(
    name="BlueJeansMeetingsRestApi",
    version=version["__version__"],
    description="A client of the OAuth2 endpoints of the BlueJeans Meetings REST API, with a sandbox of the service",
    long_description=(here / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license_expression="Apache-2.0",
    license_files=["LICENSE"],
    keywords=["bluejeans", "oauth2", "access-token", "credentials", "sdk", "api-client", "sandbox"],
    packages=find_packages(include=["BlueJeansMeetingsRestApi", "BlueJeansMeetingsRestApi.*"]),
    package_data={"BlueJeansMeetingsRestApi": ["py.typed", "sandbox/templates/*", "sandbox/static/*"]},
    python_requires=">=3.9",
    install_requires=(here / "requirements.txt").read_text(encoding="utf-8").split(),
    extras_require={
        **extras,
        "all": [requirement for extra in extras.values() for requirement in extra],
        "benchmarks": benchmarks,
    },
    entry_points={
        "console_scripts": ["bluejeans-auth = BlueJeansMeetingsRestApi.cli:main"],
        "pytest11": ["bluejeans_sandbox = BlueJeansMeetingsRestApi.sandbox.pytest_plugin"],
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Framework :: Pytest",
        "Intended Audience :: Developers",
        "Programming Language :: Python :: 3 :: Only",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in range(9, 16)),
        "Topic :: Communications :: Conferencing",
        "Topic :: Software Development :: Libraries :: Python Modules",
        "Typing :: Typed",
    ],
)
