// Package account keeps the users and groups of an image before any program runs in it.
//
// What comes in are the files of passwd(5), group(5), shadow(5) and gshadow(5) that a package
// brings, and declarations of system users in the form of sysusers.d(5), which packages carry in
// their user() and group() Provides and in /usr/lib/sysusers.d. What goes out are the numbers of
// all names, and the four files with the declared ones added as systemd-sysusers would add them.
//
// Numbers that nothing prescribes are given from 999 downwards, in the order of the declarations;
// numbers that were recorded earlier are kept, so that a file's owner does not change because
// another package came.
package account
