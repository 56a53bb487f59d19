"""What pages say of themselves to programs, in the words of schema.org.

A story's page is ours, the story is the outlet's. So the page's `publisher` is this site (schema.org: "the publisher of
the article in question"), its `author` the outlet, and `isBasedOn` ("a resource used in the creation of this work") the
outlet's own NewsArticle, with the outlet as its publisher. Saying that the outlet published our page would be untrue;
saying that we wrote the story would be worse. There is no VideoObject: of a video we know neither its length nor its
upload, and its embed is a stranger's markup.
"""

from __future__ import annotations

from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.templatetags.static import static

from articles.links import absolute, iri, picture, route
from articles.sharing import share_picture

if TYPE_CHECKING:
    from datetime import date, datetime

    from articles.cards import Named, Outlet, Story
    from articles.days import Month
    from articles.links import Picture
    from articles.models import Topic
    from providers.models import Provider

Data = dict[str, Any]
Step = tuple[str, str]  # name and address, the way to a page

_LOGO_SIZE = 180  # pixels, of static/icons/touch.png


def graph(*things: Data) -> Data:
    return {"@context": "https://schema.org", "@graph": list(things)}


def site() -> Data:
    return {
        "@type": "WebSite",
        "@id": absolute("/#site"),
        "url": absolute("/"),
        "name": settings.SITE_NAME,
        "description": settings.SITE_DESCRIPTION,
        "inLanguage": settings.LANGUAGE_CODE,
        "publisher": publisher(),
        "potentialAction": {
            "@type": "SearchAction",
            "target": {
                "@type": "EntryPoint",
                "urlTemplate": absolute(route("search")) + "?q={search_term_string}",
            },
            "query-input": "required name=search_term_string",
        },
    }


def publisher() -> Data:
    return _publisher(settings.SITE_NAME, settings.SITE_URL, settings.STATIC_URL)


@lru_cache(maxsize=1)
def _publisher(site_name: str, *addresses: str) -> Data:
    logo = {"@type": "ImageObject", "url": absolute(static("icons/touch.png"))}
    return {
        "@type": "Organization",
        "@id": absolute("/#publisher"),
        "name": site_name,
        "url": absolute("/"),
        "logo": logo | {"width": _LOGO_SIZE, "height": _LOGO_SIZE},
    }


def news_article(story: Story) -> Data:
    address = absolute(story.get_absolute_url())
    return _given(
        {
            "@type": "NewsArticle",
            "@id": f"{address}#story",
            "url": address,
            "mainEntityOfPage": address,
            "headline": story.headline,
            "description": story.summary,
            "image": _image(share_picture(story)),
            "datePublished": _moment(story.published_at),
            "dateModified": _moment(max(story.changed_at, story.published_at)),
            "author": outlet(story.provider),
            "publisher": publisher(),
            "isBasedOn": _original(story),
            "articleSection": next((topic.name for topic in story.topics), ""),
            "keywords": [topic.name for topic in story.topics],
            "isPartOf": {"@id": absolute("/#site")},
        }
    )


def _original(story: Story) -> Data:
    address = iri(story.outbound_url)
    if not address:
        return {}
    return _given(
        {
            "@type": "NewsArticle",
            "url": address,
            "headline": story.headline,
            "datePublished": _moment(story.published_at),
            "publisher": outlet(story.provider),
        }
    )


def outlet(provider: Outlet | Provider | None) -> Data:
    if provider is None:
        return {}
    logo = picture(provider.logo)
    return _given(
        {
            "@type": "Organization",
            "name": provider.name,
            "url": f"https://{provider.domain}/",
            "logo": _image(logo) if logo else {},
        }
    )


def collection(name: str, description: str, address: str, about: Data | None = None) -> Data:
    """A page that lists stories."""
    return _given(
        {
            "@type": "CollectionPage",
            "@id": f"{absolute(address)}#page",
            "url": absolute(address),
            "name": name,
            "description": description,
            "about": about,
            "isPartOf": {"@id": absolute("/#site")},
        }
    )


def breadcrumbs(*steps: Step) -> Data:
    """The way from the front page."""
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": position, "name": name, "item": absolute(address)}
            for position, (name, address) in enumerate((("Front page", route("home")), *steps), start=1)
        ],
    }


def of_story(story: Story) -> Data:
    topic = next(iter(story.topics), None)
    steps = _steps_to(topic, topic.parent) if topic else [_step("Topics", "topics")]
    return graph(news_article(story), breadcrumbs(*steps, (story.headline, story.get_absolute_url())))


def of_topic(topic: Topic, parent: Topic | None) -> Data:
    page = collection(topic.name, topic.description, topic.get_absolute_url())
    return graph(page, breadcrumbs(*_steps_to(topic, parent)))


def of_provider(provider: Provider) -> Data:
    address = provider.get_absolute_url()
    page = collection(provider.name, provider.description, address, about=outlet(provider))
    return graph(page, breadcrumbs(_step("Providers", "providers"), (provider.name, address)))


def of_list(name: str, page: str) -> Data:
    """A page that stands below the front page: all topics, all providers, the archive."""
    return graph(collection(name, "", route(page)), breadcrumbs(_step(name, page)))


def of_dates(page: str, dates: date | Month, name: str) -> Data:
    """A day or a month of the archive."""
    address = route(page, dates)
    return graph(collection(name, "", address), breadcrumbs(_step("Archive", "archive"), (name, address)))


def _steps_to(topic: Topic | Named, parent: Topic | Named | None) -> list[Step]:
    line = [step for step in (parent, topic) if step]
    return [_step("Topics", "topics"), *((each.name, each.get_absolute_url()) for each in line)]


def _step(name: str, page: str) -> Step:
    return name, route(page)


def _image(picture: Picture) -> Data:
    return {"@type": "ImageObject", "url": picture.url, "width": picture.width, "height": picture.height}


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _given(data: Data) -> Data:
    return {key: value for key, value in data.items() if value}
