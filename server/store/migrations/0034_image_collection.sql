alter table builds
  -- Images that its builder was told of: none of them is collected while the build lives.
  add column found_image_ids text[] not null default '{}',
  -- A build goes on naming the image that it made when that was collected.
  drop constraint builds_image_id_fkey;
