"""The way out: what comes out is what went in, but for what was edited here."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from articles import workflow
from articles.documents import read
from articles.exporting import UnsafePathError, export_tree, safe_name
from articles.importing import Options, import_paths
from articles.models import Article, SourceFile, Topic
from providers.models import Provider
from tests.articles.test_documents import FULL
from tests.articles.test_editing import FOREIGN, changed_lines
from tests.articles.test_importing import write_file, write_story
from tests.factories import add_picture, make_article, make_image, make_provider, make_topic, make_user

pytestmark = pytest.mark.django_db

ORGANIZATION = "---\ntaxonomy: organization\n_id: a\nname: A\ndomain: a.example\ndescription: One.  # really\n---\n"
TOPIC = "taxonomy: topic\n_id: transport\nname: Transport\nkeywords:\n- tram"


@pytest.fixture
def site(tmp_path) -> Path:
    """A tree in more than one style."""
    site = tmp_path / "site"
    write_file(site, "_news/2026-03-02-full.md", FULL)
    write_file(site, "_news/2026-03-02-foreign.md", FOREIGN)
    write_file(site, "_news/deep/2026-03-02-windows.txt", FULL.replace("\n", "\r\n"))
    write_file(site, "_data/organizations/a.md", ORGANIZATION)
    write_file(site, "_data/topics/transport.yaml", TOPIC)
    write_story(site)
    return site


def tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def run_import(site: Path) -> None:
    assert import_paths([site], Options()).failed == []


def test_what_nobody_edited_comes_out_byte_for_byte(site, tmp_path):
    run_import(site)
    report = export_tree(tmp_path / "out")
    assert tree(tmp_path / "out") == tree(site)
    assert str(report) == "written=6 edited=0 new=0"


def test_an_edited_story_differs_in_the_edited_lines_only(site, tmp_path):
    run_import(site)
    Article.objects.filter(stem="2026-03-02-foreign").update(title="It's another start")
    report = export_tree(tmp_path / "out")
    assert (report.edited, report.written) == (1, 6)
    text = (tmp_path / "out/_news/2026-03-02-foreign.md").read_text()
    assert changed_lines(FOREIGN, text) == [
        "-title: 'It''s a start'   # the headline",
        "+title: 'It''s another start'   # the headline",
    ]


def test_publishing_changes_one_line(site, tmp_path):
    run_import(site)
    workflow.unpublish(Article.objects.get(stem="2026-03-02-full"), by=make_user("Editors"))
    export_tree(tmp_path / "out")
    text = (tmp_path / "out/_news/2026-03-02-full.md").read_text()
    assert changed_lines(FULL, text) == ["-published: true", "+published: false"]


def test_edited_providers_and_topics_keep_the_rest_of_their_files(site, tmp_path):
    run_import(site)
    Provider.objects.filter(domain="a.example").update(name="Alpha")
    Topic.objects.filter(key="transport").update(keywords=["tram", "bus"])
    export_tree(tmp_path / "out")
    text = (tmp_path / "out/_data/organizations/a.md").read_text()
    assert changed_lines(ORGANIZATION, text) == ["-name: A", "+name: Alpha"]
    text = (tmp_path / "out/_data/topics/transport.yaml").read_text()
    assert changed_lines(TOPIC, text) == ["+- bus"]


def test_a_renamed_topics_stories_are_not_rewritten_for_another_spelling(site, tmp_path):
    run_import(site)
    Topic.objects.filter(key="transport").update(name="TRANSPORT")
    report = export_tree(tmp_path / "out")
    assert report.edited == 1  # the topic's own file
    assert tree(tmp_path / "out")["_news/2026-03-02-full.md"] == FULL.encode()


def test_a_story_made_here_comes_out_in_the_house_style(tmp_path):
    provider = make_provider(domain="a.example", name="A")
    article = make_article(stem="2026-03-02-a-story", title="A story", provider=provider, topics=[make_topic("AI")])
    add_picture(article, make_image(cached=False, source_url="https://a.example/1.jpg"), alt="A tram")
    export_tree(tmp_path / "out")
    [(path, data)] = tree(tmp_path / "out").items()
    assert path == "_news/2026-03-02-a-story.md"
    assert data.decode() == (
        '---\ncategory: news\ntitle: "A story"\n'
        f'excerpt: "{article.excerpt}"\npublishedDateTime: 2026-03-02T12:00:00Z\n'
        f'webUrl: "{article.web_url}"\ntype: article\npublished: true\n\n'
        "provider:\n  name: A\n  domain: a.example\n\ntopics:\n  - AI\n\n"
        'images:\n  - url: "https://a.example/1.jpg"\n    alt: "A tram"\n---\n\n'
    )


def test_described_providers_and_topics_made_here_come_out_too(tmp_path):
    make_provider(domain="b.example", description="Since 1901.")
    make_provider(domain="bare.example")
    make_topic("AI", keywords=["robots"])
    make_topic("Bare")
    export_tree(tmp_path / "out")
    assert sorted(tree(tmp_path / "out")) == ["_data/organizations/b.example.md", "_data/topics/ai.yaml"]


def test_out_in_and_out_again_is_the_same_tree(site, tmp_path):
    run_import(site)
    article = make_article(title="Made here", topics=[make_topic("New", keywords=["new"])])
    add_picture(article, make_image(cached=False))
    Article.objects.filter(stem="2026-03-02-foreign").update(excerpt="Edited: here.")
    export_tree(tmp_path / "first")
    for model in (Article, Topic, Provider):
        model.objects.all().delete()
    assert not SourceFile.objects.exists()
    run_import(tmp_path / "first")
    export_tree(tmp_path / "second")
    assert tree(tmp_path / "second") == tree(tmp_path / "first")


def test_sealed_text_and_unknown_keys_leave_as_they_came(site, tmp_path):
    run_import(site)
    Article.objects.filter(stem="2026-03-02-full").update(title="Edited")
    export_tree(tmp_path / "out")
    document = read((tmp_path / "out/_news/2026-03-02-full.md").read_bytes())
    assert (document.secured, document.extra) == ("c2VhbGVk;aXY=", {"mood": "calm"})


def test_two_names_never_meet_even_where_case_does_not_count(tmp_path):
    for stem in ("2026-03-02-tram", "2026-03-02-Tram"):
        make_article(stem=stem)
    export_tree(tmp_path / "out")
    assert sorted(tree(tmp_path / "out")) == ["_news/2026-03-02-Tram-2.md", "_news/2026-03-02-tram.md"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [("a:b?c", "a-b-c"), ("trailing. ", "trailing"), ("...", "-"), ("Ünï", "Ünï"), ("a/../b", "a-..-b")],
)
def test_names_are_safe_on_any_file_system(name, safe):
    assert safe_name(name) == safe


def test_overlong_names_are_cut_and_stay_distinct():
    names = {safe_name("日本" * 80 + end) for end in "ab"}
    assert len(names) == 2
    assert max(len(name.encode()) for name in names) <= 200


def test_a_stored_path_cannot_leave_the_folder(tmp_path):
    article = make_article()
    SourceFile.objects.create(
        path="../evil.md", text=FULL, digest="0" * 64, article=article, imported_at=article.published_at
    )
    with pytest.raises(UnsafePathError):
        export_tree(tmp_path / "out")
    assert not (tmp_path / "evil.md").exists()


def test_queries_are_as_many_for_one_story_as_for_ten(tmp_path, django_assert_num_queries):
    for _ in range(10):
        add_picture(make_article(topics=[make_topic()]))
    for index, count in enumerate((1, 10)):
        chosen = Article.objects.filter(pk__in=list(Article.objects.values_list("pk", flat=True)[:count]))
        with django_assert_num_queries(10):
            assert export_tree(tmp_path / str(index), chosen).written == count


def command(*args: object) -> str:
    out = io.StringIO()
    call_command("export_frontmatter", *map(str, args), stdout=out)
    return out.getvalue()


def test_the_command_writes_and_counts(tmp_path):
    make_article()
    assert command(tmp_path / "new/folder") == "written=1 edited=0 new=1\n"


def test_the_command_can_be_asked_for_some_states(tmp_path):
    make_article(stem="2026-03-02-public")
    make_article(stem="2026-03-02-draft", public=False)
    command(tmp_path / "out", "--status", "draft")
    assert list(tree(tmp_path / "out")) == ["_news/2026-03-02-draft.md"]


def test_the_command_refuses_a_folder_with_something_in_it_unless_told(tmp_path):
    make_article()
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(CommandError, match="not empty"):
        command(tmp_path)
    command(tmp_path, "--force")
    assert (tmp_path / "precious.txt").read_text() == "mine"
    with pytest.raises(CommandError, match="not a folder"):
        command(tmp_path / "precious.txt")


def test_the_whole_corpus_comes_out_as_it_went_in(corpus, tmp_path):
    run_import(corpus / "corpus")
    export_tree(tmp_path / "out")
    expected = {path: data for path, data in tree(corpus / "corpus").items() if path.startswith(("_news", "_data"))}
    assert tree(tmp_path / "out") == expected
