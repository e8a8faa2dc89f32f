"""One file a page; each offers `render()`, which `app.main` calls."""
