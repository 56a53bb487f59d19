import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NETWORK_MODULES = {
    "aiohttp",
    "ftplib",
    "http.client",
    "httpcore2",
    "httpx",
    "httpx2",
    "requests",
    "socket",
} | {
    "urllib.request",
    "urllib3",
    "smtplib",
    "telnetlib",
}


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def network_imports(app: str) -> dict[str, set[str]]:
    found = {str(path.relative_to(ROOT)): imported(path) & NETWORK_MODULES for path in (ROOT / app).rglob("*.py")}
    return {path: names for path, names in found.items() if names}


def test_nothing_but_the_guarded_client_opens_connections():
    others = ["config", "articles", "providers", "images"]
    assert {path: names for app in others for path, names in network_imports(app).items()} == {}
    assert sorted(network_imports("fetching")) == ["fetching/client.py", "fetching/streams.py"]
