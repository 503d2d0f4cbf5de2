"""The commands and their options, by their groups. What a command does is imported when it is called."""
