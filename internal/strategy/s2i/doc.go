// Package s2i builds images as source-to-image does: a builder image that holds scripts, and sources.
//
// The contract is that of builder images for OpenShift. The scripts (assemble, run, save-artifacts, usage)
// are looked for in this order: at the place that was asked for, in the sources' .s2i/bin, at the place
// that the builder's label io.openshift.s2i.scripts-url names (image://, file://, http:// or https://).
// The sources, without .git and what .s2iignore names, lie in DESTINATION/src while assemble runs; what
// save-artifacts of the image before gave lies in DESTINATION/artifacts, and scripts that are not the
// image's own in DESTINATION/scripts. The destination is the label io.openshift.s2i.destination, or /tmp.
// .s2i/environment is the environment of assemble and of the image. assemble runs as the image's user, or as
// the label io.openshift.s2i.assemble-user says, and never as root unless that is allowed.
//
// Scripts run in a sandbox: without network, within limits of time, memory and output. What assemble changed
// becomes a layer. Unlike with source-to-image, nothing of /tmp is in the image; scripts of the sources or of a URL are kept in
// /usr/local/libexec/s2i.
//
// The package pulls and pushes nothing.
package s2i
