// Package registry moves images to and from OCI registries, and is one.
//
// [Push], [Pull] and [Resolve] speak the OCI distribution specification (v1.1) to any registry, with the credentials that
// docker and podman keep (DOCKER_CONFIG, credential helpers). Blobs that the registry has are not sent again, and blobs that
// it has in another repository are mounted from there. What may heal by itself (5xx, time-outs, resets) is tried again with
// back-off; what will not (401, 403, 404, a wrong digest) is not, and comes back as an [*Error] whose text says what to do.
//
// [Embedded] is a registry in this process, kept in a folder, on loopback unless it is told otherwise. Any number of
// processes may serve the same folder one after another or at the same time.
//
// Plain HTTP is spoken to loopback only, unless [Options.Insecure] asks for it.
package registry
