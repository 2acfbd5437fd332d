//! The package manager as a neighbour: check, grant, inquire, revoke. Answers what was heard; never decides what follows.
