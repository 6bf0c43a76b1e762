package image

// WriteLayout adds images to the OCI image layout in dir (OCI image-spec, "Image Layout"), making it
// where it does not exist. Blobs that are there stay, so a layer that images share is stored once.
// In the index, the first image is tagged; an image that had the tag before loses it. An empty tag
// tags nothing.
func WriteLayout(dir, tag string, images ...*Image) error {
	return writeLayout(dir, tag, images)
}
