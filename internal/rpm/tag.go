package rpm

// Tag names an entry of a header. A package's signature header and its main
// header are separate name spaces; the tags of the former start with Sig.
type Tag uint32

// Tags of both headers.
const (
	TagHeaderSignatures Tag = 62 // the signature header's region
	TagHeaderImmutable  Tag = 63 // the main header's region
	TagI18NTable        Tag = 100
)

// Tags of the signature header. rpm merges them into the main header when a
// package is installed; the numbers below 1000 stay, those from 1000 move to
// the tags that the comments name.
const (
	SigDSA             Tag = 267  // header signature, DSA or EdDSA
	SigRSA             Tag = 268  // header signature, RSA
	SigSHA1            Tag = 269  // header digest, hex
	SigLongSize        Tag = 270  // header and payload in bytes, 64 bit
	SigLongArchiveSize Tag = 271  // uncompressed payload in bytes, 64 bit
	SigSHA256          Tag = 273  // header digest, hex
	SigFileSignatures  Tag = 274  // IMA signatures
	SigOpenPGP         Tag = 278  // header signatures, base64 (rpm 6)
	SigSHA3            Tag = 279  // header digest, hex (rpm 6)
	SigSize            Tag = 1000 // header and payload in bytes: becomes TagSigSize
	SigPGP             Tag = 1002 // header and payload signature, RSA: becomes TagSigPGP
	SigMD5             Tag = 1004 // header and payload digest: becomes TagSigMD5
	SigGPG             Tag = 1005 // header and payload signature, DSA: becomes TagSigGPG
	SigPayloadSize     Tag = 1007 // uncompressed payload in bytes: becomes TagArchiveSize
	SigReserved        Tag = 1008 // space for a later signature
)

// Tags under which the main header of an installed package holds what came
// from the signature header.
const (
	TagSigSize Tag = 257
	TagSigPGP  Tag = 259
	TagSigMD5  Tag = 261
	TagSigGPG  Tag = 262
)

// Tags that describe the package as a whole.
const (
	TagName              Tag = 1000
	TagVersion           Tag = 1001
	TagRelease           Tag = 1002
	TagEpoch             Tag = 1003
	TagSummary           Tag = 1004
	TagDescription       Tag = 1005
	TagBuildTime         Tag = 1006
	TagBuildHost         Tag = 1007
	TagInstallTime       Tag = 1008
	TagSize              Tag = 1009
	TagDistribution      Tag = 1010
	TagVendor            Tag = 1011
	TagLicense           Tag = 1014
	TagPackager          Tag = 1015
	TagGroup             Tag = 1016
	TagURL               Tag = 1020
	TagOS                Tag = 1021
	TagArch              Tag = 1022
	TagSourceRPM         Tag = 1044
	TagArchiveSize       Tag = 1046
	TagRPMVersion        Tag = 1064
	TagOrderName         Tag = 5035
	TagOrderVersion      Tag = 5036
	TagOrderFlags        Tag = 5037
	TagChangelogTime     Tag = 1080
	TagChangelogName     Tag = 1081
	TagChangelogText     Tag = 1082
	TagCookie            Tag = 1094
	TagSourcePackage     Tag = 1106
	TagPrefixes          Tag = 1098
	TagOptFlags          Tag = 1122
	TagPayloadFormat     Tag = 1124
	TagPayloadCompressor Tag = 1125
	TagPayloadFlags      Tag = 1126
	TagInstallColor      Tag = 1127
	TagInstallTID        Tag = 1128
	TagPlatform          Tag = 1132
	TagLongSize          Tag = 5009
	TagEncoding          Tag = 5062
	TagPayloadDigest     Tag = 5092
	TagPayloadDigestAlgo Tag = 5093
	TagModularityLabel   Tag = 5096
	TagPayloadDigestAlt  Tag = 5097
)

// Tags of dependencies: parallel arrays of names, flags and versions.
const (
	TagProvideName       Tag = 1047
	TagRequireFlags      Tag = 1048
	TagRequireName       Tag = 1049
	TagRequireVersion    Tag = 1050
	TagConflictFlags     Tag = 1053
	TagConflictName      Tag = 1054
	TagConflictVersion   Tag = 1055
	TagObsoleteName      Tag = 1090
	TagProvideFlags      Tag = 1112
	TagProvideVersion    Tag = 1113
	TagObsoleteFlags     Tag = 1114
	TagObsoleteVersion   Tag = 1115
	TagRecommendName     Tag = 5046
	TagRecommendVersion  Tag = 5047
	TagRecommendFlags    Tag = 5048
	TagSuggestName       Tag = 5049
	TagSuggestVersion    Tag = 5050
	TagSuggestFlags      Tag = 5051
	TagSupplementName    Tag = 5052
	TagSupplementVersion Tag = 5053
	TagSupplementFlags   Tag = 5054
	TagEnhanceName       Tag = 5055
	TagEnhanceVersion    Tag = 5056
	TagEnhanceFlags      Tag = 5057
)

// Tags of files: parallel arrays, one value a file but for DirNames and
// ClassDict, which others index.
const (
	TagOldFileNames     Tag = 1027
	TagFileSizes        Tag = 1028
	TagFileStates       Tag = 1029
	TagFileModes        Tag = 1030
	TagFileRdevs        Tag = 1033
	TagFileMTimes       Tag = 1034
	TagFileDigests      Tag = 1035
	TagFileLinkTos      Tag = 1036
	TagFileFlags        Tag = 1037
	TagFileUserName     Tag = 1039
	TagFileGroupName    Tag = 1040
	TagFileVerifyFlags  Tag = 1045
	TagFileDevices      Tag = 1095
	TagFileInodes       Tag = 1096
	TagFileLangs        Tag = 1097
	TagDirIndexes       Tag = 1116
	TagBaseNames        Tag = 1117
	TagDirNames         Tag = 1118
	TagFileColors       Tag = 1140
	TagFileClass        Tag = 1141
	TagClassDict        Tag = 1142
	TagLongFileSizes    Tag = 5008
	TagFileCaps         Tag = 5010
	TagFileDigestAlgo   Tag = 5011
	TagFileSignatures   Tag = 5090
	TagFileSignatureLen Tag = 5091
)

// Tags of scripts.
const (
	TagPreIn              Tag = 1023
	TagPostIn             Tag = 1024
	TagPreUn              Tag = 1025
	TagPostUn             Tag = 1026
	TagVerifyScript       Tag = 1079
	TagPreInProg          Tag = 1085
	TagPostInProg         Tag = 1086
	TagPreUnProg          Tag = 1087
	TagPostUnProg         Tag = 1088
	TagVerifyScriptProg   Tag = 1091
	TagPreTrans           Tag = 1151
	TagPostTrans          Tag = 1152
	TagPreTransProg       Tag = 1153
	TagPostTransProg      Tag = 1154
	TagPreInFlags         Tag = 5020
	TagPostInFlags        Tag = 5021
	TagPreUnFlags         Tag = 5022
	TagPostUnFlags        Tag = 5023
	TagPreTransFlags      Tag = 5024
	TagPostTransFlags     Tag = 5025
	TagVerifyScriptFlags  Tag = 5026
	TagPreUnTrans         Tag = 5104
	TagPostUnTrans        Tag = 5105
	TagPreUnTransProg     Tag = 5106
	TagPostUnTransProg    Tag = 5107
	TagPreUnTransFlags    Tag = 5108
	TagPostUnTransFlags   Tag = 5109
	TagTriggerScripts     Tag = 1065
	TagTriggerName        Tag = 1066
	TagTriggerVersion     Tag = 1067
	TagTriggerFlags       Tag = 1068
	TagTriggerIndex       Tag = 1069
	TagTriggerScriptProg  Tag = 1092
	TagTriggerScriptFlags Tag = 5027
)

// Tags of file triggers, run once a package (FileTrigger) or once a
// transaction (TransFileTrigger).
const (
	TagFileTriggerScripts          Tag = 5066
	TagFileTriggerScriptProg       Tag = 5067
	TagFileTriggerScriptFlags      Tag = 5068
	TagFileTriggerName             Tag = 5069
	TagFileTriggerIndex            Tag = 5070
	TagFileTriggerVersion          Tag = 5071
	TagFileTriggerFlags            Tag = 5072
	TagTransFileTriggerScripts     Tag = 5076
	TagTransFileTriggerScriptProg  Tag = 5077
	TagTransFileTriggerScriptFlags Tag = 5078
	TagTransFileTriggerName        Tag = 5079
	TagTransFileTriggerIndex       Tag = 5080
	TagTransFileTriggerVersion     Tag = 5081
	TagTransFileTriggerFlags       Tag = 5082
	TagFileTriggerPriorities       Tag = 5084
	TagTransFileTriggerPriorities  Tag = 5085
)
