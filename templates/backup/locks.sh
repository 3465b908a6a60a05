# Lists the locks of restic's repository in the folder $1.
ls "$1/locks"
