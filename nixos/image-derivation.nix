# One folder with what a machine needs to boot: kernel, initrd (with the squashfs of the whole system inside), command line, and a manifest.
{
  pkgs,
  toplevel,
  kernel,
  kernelFile,
  kernelVersion,
  netbootRamdisk,
  squashfsStore,
  commandLine,
}:

pkgs.runCommand "muster-image"
  {
    inherit commandLine kernelVersion;
    closure = pkgs.closureInfo { rootPaths = [ toplevel ]; };
    preferLocalBuild = true;
    allowSubstitutes = false;
  }
  ''
    # Kernels refuse more, and firmware adds words of its own.
    commandLineLengthMax=1800
    if [ "''${#commandLine}" -gt "$commandLineLengthMax" ]; then
      echo "The command line has ''${#commandLine} characters, at most $commandLineLengthMax are possible: give fewer boot.kernelParams" >&2
      exit 1
    fi

    mkdir $out
    cp --reflink=auto ${kernel}/${kernelFile} $out/kernel
    cp --reflink=auto ${netbootRamdisk}/initrd $out/initrd
    printf '%s\n' "$commandLine" >$out/command-line

    squashfs=${squashfsStore}
    # A file, or a folder with one, by the release of NixOS.
    if [ -d "$squashfs" ]; then squashfs=$(find "$squashfs" -name '*.squashfs' -o -name '*.img' | head -n 1); fi
    squashfsBytes=$(stat -Lc %s "$squashfs")
    initrdBytes=$(stat -Lc %s $out/initrd)
    # cpio holds sizes in 32 bits: larger files are left out or cut without a word.
    if [ "$squashfsBytes" -ge 4294967295 ] || [ "$initrdBytes" -lt "$squashfsBytes" ]; then
      echo "The system is too large for a netboot image: its squashfs has $squashfsBytes bytes, the initrd $initrdBytes" >&2
      exit 1
    fi
    cat >$out/manifest.json <<END
    {"toplevel": "${toplevel}", "kernelVersion": "$kernelVersion", "closureBytes": $(cat $closure/total-nar-size), "squashfsBytes": $squashfsBytes}
    END
  ''
