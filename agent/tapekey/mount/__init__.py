"""One stay of one cartridge in one drive: save, restore, unload, account, adopt. Executes decisions and makes none."""
