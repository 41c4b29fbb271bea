# The part of nixpkgs' lib that stage 1 and the templates use, written anew for tests, which have no nixpkgs.
let
  inherit (builtins)
    all
    attrNames
    concatMap
    elem
    elemAt
    filter
    foldl'
    head
    isAttrs
    isFunction
    isList
    isString
    length
    listToAttrs
    substring
    stringLength
    tail
    ;
  isDerivation = value: isAttrs value && value.type or "" == "derivation";
in
rec {
  inherit
    all
    attrNames
    concatMap
    elem
    filter
    head
    isAttrs
    isFunction
    isList
    isDerivation
    length
    listToAttrs
    tail
    ;
  inherit (builtins) functionArgs concatStringsSep isBool;
  mkIf = condition: content: {
    _type = "if";
    inherit condition content;
  };
  mkMerge = contents: {
    _type = "merge";
    inherit contents;
  };
  mkOverride = priority: content: {
    _type = "override";
    inherit priority content;
  };
  mkDefault = mkOverride 1000;
  mkForce = mkOverride 50;
  mkBefore = content: {
    _type = "order";
    priority = 500;
    inherit content;
  };
  optional = condition: value: if condition then [ value ] else [ ];
  optionals = condition: values: if condition then values else [ ];
  optionalAttrs = condition: set: if condition then set else { };
  optionalString = condition: text: if condition then text else "";
  last = list: elemAt list (length list - 1);
  unique = foldl' (found: value: if elem value found then found else found ++ [ value ]) [ ];
  findFirst =
    check: default: list:
    let
      found = filter check list;
    in
    if found == [ ] then default else head found;
  mapAttrs' = f: set: listToAttrs (map (name: f name set.${name}) (attrNames set));
  mapAttrs = builtins.mapAttrs;
  nameValuePair = name: value: { inherit name value; };
  genAttrs = names: f: listToAttrs (map (name: nameValuePair name (f name)) names);
  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  removePrefix =
    prefix: text:
    if hasPrefix prefix text then substring (stringLength prefix) (-1) text else text;
  hasInfix = part: text: length (builtins.split (escape part) text) > 1;
  escape = builtins.replaceStrings [ "." "-" "/" ] [ "[.]" "[-]" "[/]" ];
  splitString = separator: text: filter isString (builtins.split (escape separator) text);
  toInt = text: builtins.fromJSON text;
  boolToString = value: if value then "true" else "false";
  attrByPath =
    path: default: set:
    if path == [ ] then
      set
    else if set ? ${head path} then
      attrByPath (tail path) default set.${head path}
    else
      default;
  getName = package: package.pname or package.name;
}
