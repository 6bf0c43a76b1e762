// Package resolve decides which RPMs an image is made of: requests and repositories go in, a set of
// packages comes out, or the reason why there is none.
//
// The answer is what dnf would install into an empty root for the same requests, with
// install_weak_deps=0 and best=1 unless Problem says otherwise. Resolve does not read spec files,
// does not download packages and does not order them for installation.
//
// # What a solution is
//
// Every request is met. Every requirement of a package in it is met by a package in it, a virtual
// package or the installer itself (rpmlib()). No package conflicts with another or obsoletes it.
// There is one version of a name, kernels and the like excepted (dnf.conf(5), installonlypkgs). All
// packages are of the target's architecture or noarch. Each is there because a request or another
// package needs it.
//
// Dependencies mean what they mean to rpm: ranges match when they overlap; a side without a version,
// or without a release, matches any; Obsoletes and a second version of a name go by the name of the
// package, everything else by what it provides, its own name and version included; a package does
// not conflict with itself. A path is met by a Provides or by a file. Rich dependencies are turned
// into clauses, see formula. File lists are asked only for paths that primary.xml does not list and
// nobody provides; dnf 4 would ask them in any case, dnf 5 does as we do.
//
// # Which of several packages is chosen
//
// The rules are those of libsolv (policy.c), which dnf uses, in this order. Each looks only at the
// candidates that the ones before it left, and only as long as there is more than one.
//
//  1. Keep. A package of the earlier solution stays. dnf has no such rule; it stands where libsolv
//     favors packages.
//  2. Priority. Only packages of the repositories with the lowest priority number are looked at.
//  3. Version. Of each name only the newest is looked at, and the names are put in order. Of the
//     same version in several repositories, the one of the lowest cost is taken, then the first.
//  4. Obsoletes. A candidate that another one obsoletes is left out.
//  5. Recommendation. If an installed package recommends some of the candidates, or some of them
//     supplement an installed package, the others are left out. This holds although weak
//     dependencies themselves are not installed.
//  6. Age. Candidates of which the repositories have a newer version (that is no candidate, then),
//     or one with a better priority, come last.
//  7. Provided versions. Candidates that provide something in a lower version than another candidate
//     come after it.
//  8. Suggestion. Candidates that an installed package suggests, or that enhance one, come first.
//
// Rule 6 minds excluded packages, as libsolv does: an older build stays old although its successor is
// not to be had.
//
// For each request, the packages that rules 2 to 4 leave of all that could meet it are the best; one
// of them has to be installed (Problem.NoBest lifts this).
//
// # In which order choices are made
//
// It matters, since a choice depends on what is installed. Requests come first, in order of their
// text: unlike on dnf's command line, the order in which they are given is not to change an image.
// Then, as in libsolv, requirements of which rule 5 leaves one candidate; only when there are none
// left, the others. Requirements are visited in the order of the packages, the last one of the last
// repository first, where repositories are in order of priority and cost. At the end the choices that
// turned out superfluous are taken back: another candidate is installed anyway, or has come to be
// recommended.
//
// # How
//
// Clauses over "package is installed" go to package sat, whose decisions are the choices above. A
// package's clauses are made when the search first considers it installed, so the cost depends on
// what is installed rather than on the size of the repositories. libsolv makes all clauses of all
// packages that could matter beforehand, and therefore knows more of what cannot be installed when it
// chooses; withoutDoomed makes up for it.
//
// Where this differs from dnf: the order of requests, as said; other architectures are never taken;
// groups are no requests; brackets within parentheses are no pattern; urpm's preference for language
// packages, which libdnf switches on and which has no effect on the packages of Fedora and its
// relatives, is left out. Where dnf differs from pure theory, and dnf 5 from dnf 4, is told in
// docs/design/2026-11-25-the-same-answer-as-dnf.md; tools/agree compares on any repositories.
//
// When there is no solution, the contradiction is reduced to the rules it needs, and told from who
// asked to what is missing: see Conflict.
package resolve
