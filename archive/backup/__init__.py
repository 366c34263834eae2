"""Backup: sealed snapshots of the whole archive, restored onto an empty machine and rehearsed before that (P13.2).

In a backup lie: ``objects/`` each file of vault and quarantine once, named by a keyed hash of its content;
``catalogue/`` the catalogue of each snapshot, without any key; ``snapshots/`` what belongs together; and apart from
these ``keys/`` the wrapped keys, which may lie in another place altogether. The master key is in none of them.
"""
