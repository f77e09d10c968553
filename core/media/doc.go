// Package media carries files between XMPP and the networks. It implements core.Blobs.
//
// Put gives a file to the user's clients: through the upload service of the host server (XEP-0363) where there is one,
// else from our own folder, under a URL that nobody can guess and that ends after a while, else not at all. Get fetches
// what a user attached, from wherever its URL says, as long as that is not an address that only we can reach.
//
// A file is the same file if its content, its name, its type and its user are: putting it again gives the URL that it
// has already. So a mail that is delivered twice leaves one file behind.
//
// Goroutines: none of its own. Run sweeps and belongs to its caller; the mutex of Media guards the folder against a
// file being removed while it is given to somebody else.
package media
