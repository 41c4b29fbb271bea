{
  description = "Stands in for nixpkgs in tests: a module system of one page, whose errors read like those of nixpkgs' lib";
  outputs = {self}: {lib = import ./lib.nix;};
}
