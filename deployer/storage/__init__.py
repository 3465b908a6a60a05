"""The registry's storage: what is in it, and taking things out of it, through a container of the engine.

Layout, below `docker/registry/v2`: `repositories/NAME/{_manifests/{revisions/ALGORITHM/HEX/link,
tags/T/{current/link,index/ALGORITHM/HEX/link}},_layers/ALGORITHM/HEX/link,_uploads/UUID}` and
`blobs/ALGORITHM/xx/HEX/data`. A link is a file that holds a digest.
"""
