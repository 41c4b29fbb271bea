# Nix is lazy: a value of a wrong type passes unnoticed when no part of the system reads its option. This evaluates what the given modules
# define (the operator's, the templates', our own), at exactly the places that they define, so that each mistake is reported. Whatever else
# is wrong with a module has been reported by then: it is read again here only for its definitions.
{ nixos, modules }:

let
  inherit (nixos) config options pkgs;
  inherit (pkgs) lib;
  depthMax = 16;
  importsDepthMax = 8;

  arguments = options._module.args.value // {
    inherit config lib options;
    modulesPath = toString (pkgs.path + "/nixos/modules");
  };

  # The sets of definitions in a module and what it imports.
  definitionsOf =
    depth: module:
    if depth == 0 then
      [ ]
    else if builtins.isPath module || builtins.isString module then
      # nixpkgs' own modules are left alone.
      if lib.hasPrefix (toString pkgs.path) (toString module) then
        [ ]
      else
        definitionsOf depth (import module)
    else if lib.isFunction module then
      let
        named = lib.functionArgs module;
        isCallable = lib.all (name: arguments ? ${name} || named.${name}) (lib.attrNames named);
      in
      if isCallable then
        definitionsOf depth (module (builtins.intersectAttrs named arguments // arguments))
      else
        [ ]
    else if lib.isAttrs module && (module._type or "") == "" then
      [
        (
          if module ? config || module ? options then
            module.config or { }
          else
            removeAttrs module [
              "_file"
              "key"
              "imports"
              "disabledModules"
              "freeformType"
              "meta"
            ]
        )
      ]
      ++ lib.concatMap (definitionsOf (depth - 1)) (module.imports or [ ])
    else
      [ ];

  isWrapped = value: lib.isAttrs value && value ? _type && builtins.isString value._type;
  isPlain = value: lib.isAttrs value && !isWrapped value && !lib.isDerivation value;

  # The parts of mkIf, mkMerge, mkForce and their kind that hold.
  unwrap =
    definition:
    if !isWrapped definition then
      [ definition ]
    else if definition._type == "if" then
      lib.optionals definition.condition (unwrap definition.content)
    else if definition._type == "merge" then
      lib.concatMap unwrap definition.contents
    else if definition ? content then
      unwrap definition.content
    else
      [ definition ];

  # Follows a definition into the value that all definitions together gave. Lists are merged, so each of their elements is looked at.
  followValue =
    depth: definition: value:
    if depth == 0 then
      true
    else if lib.isList value then
      lib.all (element: builtins.seq element true) value
    else if isPlain value then
      lib.all (
        part:
        !(isPlain part)
        || lib.all (name: !(value ? ${name}) || followValue (depth - 1) part.${name} value.${name}) (
          lib.attrNames part
        )
      ) (unwrap definition)
    else
      builtins.seq value true;

  # Follows a definition through the tree of options until it reaches one.
  followOptions =
    depth: definition: tree:
    if lib.isOption tree then
      followValue depthMax definition tree.value
    else
      depth == 0
      || lib.all (
        part:
        !(isPlain part)
        || lib.all (name: !(tree ? ${name}) || followOptions (depth - 1) part.${name} tree.${name}) (
          lib.filter (name: name != "_module") (lib.attrNames part)
        )
      ) (unwrap definition);
in
lib.all (definition: followOptions depthMax definition options) (
  lib.concatMap (definitionsOf importsDepthMax) modules
)
