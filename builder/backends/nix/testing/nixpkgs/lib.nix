# A module system that is just large enough for tests. What it throws is worded as nixpkgs words it (lib/modules.nix, lib/options.nix), in
# the form of 2025 and later, because the builder reads those sentences.
let
  inherit (builtins) all attrNames concatLists concatStringsSep deepSeq elemAt filter foldl' functionArgs hasAttr head intersectAttrs isAttrs isFunction isList isPath isString length map throw toJSON;

  isOption = value: isAttrs value && (value._type or "") == "option";
  mkOption = option: option // {_type = "option";};
  showOption = concatStringsSep ".";
  showDefinition = {file, value}: "\n- In `${file}': ${toJSON value}";
  showDefinitions = definitions: concatStringsSep "" (map showDefinition definitions);

  mergeEqual = path: definitions:
    if length definitions == 1 || all (d: d.value == (head definitions).value) definitions
    then (head definitions).value
    else throw "The option `${showOption path}' has conflicting definition values:${showDefinitions definitions}\nUse `lib.mkForce value` or `lib.mkDefault value` to change the priority on any of these definitions.";

  types = {
    str = {description = "string"; check = isString; merge = mergeEqual;};
    bool = {description = "boolean"; check = builtins.isBool; merge = mergeEqual;};
    port = {
      description = "16 bit unsigned integer; between 0 and 65535 (both inclusive)";
      check = value: builtins.isInt value && value >= 0 && value <= 65535;
      merge = mergeEqual;
    };
    anything = {description = "anything"; check = _: true; merge = _: definitions: foldl' (all: d: if isAttrs all && isAttrs d.value then all // d.value else d.value) (head definitions).value definitions;};
    lines = {description = "strings concatenated with \"\\n\""; check = isString; merge = _: definitions: concatStringsSep "\n" (map (d: d.value) definitions);};
    listOf = element: {
      description = "list of ${element.description}";
      check = value: isList value && all element.check value;
      merge = _: definitions: concatLists (map (d: d.value) definitions);
    };
  };

  load = parentFile: args: module: let
    file = if isPath module then toString module else parentFile;
    loaded = if isPath module then import module else module;
    body = if isFunction loaded then loaded (intersectAttrs (functionArgs loaded) args // args) else loaded;
    own = body._file or file;
    isShort = !(body ? config || body ? options);
  in
    if !(isAttrs body) then throw "Module `${file}' does not look like a module." else
    [{
      file = own;
      options = body.options or {};
      config = if isShort then removeAttrs body ["_file" "imports"] else body.config or {};
    }]
    ++ concatLists (map (load own args) (body.imports or []));

  mergeOptions = foldl' mergeTrees {};
  mergeTrees = a: b: a // builtins.mapAttrs (name: value: if hasAttr name a && !(isOption value) then mergeTrees a.${name} value else value) b;

  # `definitions`: what each module says below `path`.
  evaluate = path: options: definitions: let
    names = attrNames (foldl' (all: d: all // d.value) {} definitions);
    unknown = filter (name: !(hasAttr name options)) names;
    below = name: map (d: {inherit (d) file; value = d.value.${name};}) (filter (d: hasAttr name d.value) definitions);
    first = head unknown;
  in
    if unknown != []
    then throw "The option `${showOption (path ++ [first])}' does not exist. Definition values:${showDefinitions (below first)}"
    else builtins.mapAttrs (name: option: evaluateOne (path ++ [name]) option (below name)) options;

  evaluateOne = path: option: definitions:
    if !(isOption option) then evaluate path option definitions
    else if definitions == []
    then option.default or (throw "The option `${showOption path}' was accessed but has no value defined. Try setting the option.")
    else let
      wrong = filter (d: !(option.type.check d.value)) definitions;
    in
      if wrong != []
      then throw "A definition for option `${showOption path}' is not of type `${option.type.description}'. Definition values:${showDefinitions wrong}"
      else option.type.merge path definitions;

  evalModules = {modules, specialArgs ? {}}: let
    args = specialArgs // {inherit config; inherit lib;};
    loaded = concatLists (map (load "<unknown-file>" args) modules);
    config = evaluate [] (mergeOptions (map (m: m.options) loaded)) (map (m: {inherit (m) file; value = m.config;}) loaded);
    failed = map (a: a.message) (filter (a: !a.assertion) config.assertions);
  in
    # As nixos/lib does it: everything of ours is looked at, then the assertions.
    if failed != [] then throw "\nFailed assertions:\n${concatStringsSep "\n" (map (m: "- ${m}") failed)}"
    else deepSeq config config;

  lib = {inherit evalModules mkOption types;};
in
  lib
