"""Parts of pages, one idea a file: data in, figure or elements out."""
