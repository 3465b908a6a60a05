# Prints how many bytes are free on the disk of the folder $1.
df -Pk "$1" | awk 'NR == 2 { printf "%.0f\n", $4 * 1024 }'
