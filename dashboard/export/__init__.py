"""Charts as files for an article: pictures, interactive HTML, data, and what proves them.

`dashboard.export.render` makes pictures and may be called from any thread; `python -m dashboard.export` is the command
line.
"""
