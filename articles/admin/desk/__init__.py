"""The desk: queues of stories to decide about, one card each, from the keyboard. `queues` says which stories stand in
which order, `asked` reads an address, `cards` what a card shows, `acts` does what its buttons say, `saved` keeps views.
"""

from articles.admin.desk.routes import urls

__all__ = ["urls"]
