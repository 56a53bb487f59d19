"""Admin forms as a browser sees them: what would be sent if one pressed a button now."""

from html.parser import HTMLParser


class _Fields(HTMLParser):
    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id = form_id
        self.inside = False
        self.data: dict[str, list[str]] = {}
        self.select = self.textarea = ""

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form":
            self.inside = attributes.get("id") == self.form_id
        if not self.inside:
            return
        name = attributes.get("name", "")
        if tag == "input" and self._is_sent(attributes):
            self.data.setdefault(name, []).append(attributes.get("value", ""))
        elif tag == "select":
            self.select = name
        elif tag == "option" and "selected" in attributes:
            self.data.setdefault(self.select, []).append(attributes.get("value", ""))
        elif tag == "textarea":
            self.textarea = name
            self.data[name] = [""]

    @staticmethod
    def _is_sent(attributes):
        kind = attributes.get("type", "text")
        return "name" in attributes and kind != "submit" and (kind != "checkbox" or "checked" in attributes)

    def handle_data(self, data):
        if self.textarea:
            self.data[self.textarea][0] += data

    def handle_endtag(self, tag):
        if tag == "textarea":
            text = self.data[self.textarea][0].removeprefix("\n")  # as browsers do
            self.data[self.textarea] = [text.replace("\n", "\r\n")]
            self.textarea = ""


def filled(response, form_id: str = "article_form") -> dict[str, list[str]]:
    """The fields of a form, with the values that are in them and a browser's line ends."""
    parser = _Fields(form_id)
    parser.feed(response.content.decode())
    assert parser.data, f"no form {form_id} on the page"
    return parser.data


def messages(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]
