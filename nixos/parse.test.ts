import {join} from 'node:path';
import test from 'ava';
import {nixFiles, nixFolder, startNix} from './testing/nix.ts';

test('every .nix file parses', async t => {
  using nix = startNix();
  const files = nixFiles();
  t.true(files.length > 25, `${files.length} files`);
  await t.notThrowsAsync(
    nix.run('nix-instantiate', ['--parse', ...files.map(file => join(nixFolder, file))]),
  );
});

test('a file that does not parse is noticed', async t => {
  using nix = startNix();
  await t.throwsAsync(nix.run('nix-instantiate', ['--parse', '--expr', '{ a = ; }']), {
    message: /syntax error/,
  });
});

test('the flake names its outputs without asking nixpkgs', async t => {
  using nix = startNix();
  const names = await nix.evaluate(`
    let
      flake = import ${nixFolder}/flake.nix;
      nixpkgs = {
        lib = { genAttrs = names: f: builtins.listToAttrs (map (name: { inherit name; value = f name; }) names); nixosSystem = throw "not asked"; };
        legacyPackages = { x86_64-linux = { }; aarch64-linux = { }; };
      };
      outputs = flake.outputs { self = outputs; inherit nixpkgs; };
    in {
      top = builtins.attrNames outputs;
      lib = builtins.attrNames outputs.lib;
      modules = builtins.attrNames outputs.nixosModules;
      configurations = builtins.attrNames outputs.nixosConfigurations;
      systems = builtins.attrNames outputs.packages;
    }`);
  t.deepEqual(names, {
    top: ['checks', 'devShells', 'lib', 'nixosConfigurations', 'nixosModules', 'packages'],
    lib: ['machineImage', 'registrationImage'],
    modules: ['agent', 'default', 'machine', 'muster', 'registration'],
    configurations: ['registration', 'registration-aarch64'],
    systems: ['aarch64-linux', 'x86_64-linux'],
  });
});
