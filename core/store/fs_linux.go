package store

import "syscall"

// networkFS returns the name of the network file system that a directory is on, "" if it is on none that is known:
// their locks and their mmap do not hold what SQLite needs. (FUSE may be either and is let through.)
func networkFS(dir string) string {
	var st syscall.Statfs_t
	if syscall.Statfs(dir, &st) != nil {
		return ""
	}
	return networkFSName(uint32(st.Type)) // the field's width differs by architecture; magic numbers have 32 bits
}

func networkFSName(magic uint32) string {
	switch magic {
	case 0x6969:
		return "NFS"
	case 0xff534d42, 0xfe534d42, 0x517b:
		return "SMB"
	case 0x5346414f, 0x6b414653:
		return "AFS"
	case 0x73757245:
		return "Coda"
	case 0x00c36400:
		return "Ceph"
	case 0x0bd00bd0:
		return "Lustre"
	case 0x01021997:
		return "9P"
	}
	return ""
}
