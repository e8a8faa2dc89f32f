"""One file a page, run by `app.main` through `st.navigation`.

The folder is not called `pages`: Streamlit would then run these files without `app.main` when one
of them is the first address that a fresh server is asked for.
"""
