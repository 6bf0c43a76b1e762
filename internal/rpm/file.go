package rpm

// FileFlags says what a spec file says of a file (RPMFILE_* of rpm's rpmfiles.h).
type FileFlags uint32

// The file flags.
const (
	FileConfig    FileFlags = 1 << 0
	FileDoc       FileFlags = 1 << 1
	FileMissingOK FileFlags = 1 << 3
	FileNoReplace FileFlags = 1 << 4
	FileSpec      FileFlags = 1 << 5
	FileGhost     FileFlags = 1 << 6
	FileLicense   FileFlags = 1 << 7
	FileReadme    FileFlags = 1 << 8
	FilePubkey    FileFlags = 1 << 11
	FileArtifact  FileFlags = 1 << 12
)

// File is one path of a package, as its header describes it.
type File struct {
	Path         string // absolute and clean
	Mode         uint32 // type and permissions, as st_mode of stat(2) on Linux
	Owner, Group string
	Size         int64  // bytes of a regular file; of a link the length of its target
	ModTime      int64  // seconds since 1970
	Digest       string // hex, "" for all but regular files
	DigestAlgo   int    // OpenPGP hash number: 1 MD5, 2 SHA-1, 8 SHA-256, 10 SHA-512
	Link         string // target of a symbolic link
	Flags        FileFlags
	Caps         string // capabilities as cap_from_text(3) reads them, "" for none
	Rdev         uint32 // of a device node: major<<8 | minor, the 16 bits that a header has
	Device       uint32 // with Inode tells hard links apart; means nothing else
	Inode        uint32
	HardLinks    []int // indexes of all files that share this inode, when more than one
	Color        uint32
	Lang         string
	VerifyFlags  uint32
}

// Permissions and file types of File.Mode.
const (
	ModeTypeMask  = 0o170000
	ModeSocket    = 0o140000
	ModeLink      = 0o120000
	ModeRegular   = 0o100000
	ModeBlock     = 0o060000
	ModeDirectory = 0o040000
	ModeChar      = 0o020000
	ModeFIFO      = 0o010000
)

// Type is the file's type, one of the Mode constants.
func (f *File) Type() uint32 { return f.Mode & ModeTypeMask }

// IsRegular says whether the file has content.
func (f *File) IsRegular() bool { return f.Type() == ModeRegular }

// IsDir says whether the file is a directory.
func (f *File) IsDir() bool { return f.Type() == ModeDirectory }

// IsLink says whether the file is a symbolic link.
func (f *File) IsLink() bool { return f.Type() == ModeLink }

// IsGhost says whether the file is listed only: the payload does not hold it.
func (f *File) IsGhost() bool { return f.Flags&FileGhost != 0 }
