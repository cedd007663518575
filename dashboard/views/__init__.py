"""Where data, analysis and charts meet: what a page shows, and every chart by its stable name.

Pages and exports ask here, so that the same function stands behind the page and the file.
"""
