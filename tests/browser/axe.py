"""What axe says of a page; `make audits` installs it. The page has to be opened with `bypass_csp=True`."""

from playwright.sync_api import Page

from benchmarks import lighthouse

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page, part: str = "body") -> dict[str, list[str]]:
    """By rule, the HTML of what breaks it."""
    page.wait_for_load_state()  # scripts name what autocomplete makes
    page.add_script_tag(path=lighthouse.AUDITS / "axe-core" / "axe.min.js")
    found = page.evaluate("([part, tags]) => axe.run(part, {runOnly: tags})", [part, WCAG])
    return {each["id"]: [node["html"] for node in each["nodes"]] for each in found["violations"]}
