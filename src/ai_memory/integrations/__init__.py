"""The engine in the terms of other libraries; each module needs the library that it is named after."""
