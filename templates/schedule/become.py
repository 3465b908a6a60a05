"""Become a user of the machine, and run a program; the machine's Python runs it before anything of deployer."""

import os
import sys

user, group, groups, *command = sys.argv[1:]
os.setgroups([int(one) for one in groups.split(",") if one])
os.setgid(int(group))
os.setuid(int(user))
os.chdir("/")
os.execv(command[0], command)
