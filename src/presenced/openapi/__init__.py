"""The API described for tools and people: an OpenAPI 3.1 document made from the tables, and a page to try it in."""
