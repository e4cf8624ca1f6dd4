"""A local plugin: this folder is `nnlab.ext.local_lab`."""
