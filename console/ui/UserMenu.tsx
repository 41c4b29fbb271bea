import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {useMutation} from '@connectrpc/connect-query';
import {useQueryClient} from '@tanstack/react-query';
import {useNavigate} from '@tanstack/react-router';
import {useCaller} from '../api/caller.ts';
import {explainError} from '../api/errors.ts';
import {setTheme, type Theme, useTheme} from '../hooks/use-theme.ts';
import {Menu} from './Menu.tsx';
import {showToast} from './Toast.tsx';

const themes: Readonly<Record<Theme, {readonly next: Theme; readonly label: string}>> = {
  auto: {next: 'light', label: 'Colours: as the system'},
  light: {next: 'dark', label: 'Colours: light'},
  dark: {next: 'auto', label: 'Colours: dark'},
};

export function UserMenu({onShortcuts}: {readonly onShortcuts: () => void}) {
  const caller = useCaller();
  const theme = useTheme();
  const navigate = useNavigate();
  const signOut = useSignOut();
  const name = caller?.user?.username ?? caller?.name ?? '…';
  return (
    <div className="user-menu">
      <Menu
        kind="quiet"
        icon="user"
        label={<span>{name}</span>}
        name={`Signed in as ${name}`}
        items={[
          {
            label: themes[theme].label,
            icon: theme === 'light' ? 'sun' : theme === 'dark' ? 'moon' : 'auto',
            onSelect: () => setTheme(themes[theme].next),
          },
          {label: 'Keyboard shortcuts', icon: 'info', onSelect: onShortcuts},
          {
            label: 'Settings',
            icon: 'settings',
            onSelect: () => void navigate({to: '/settings'}),
          },
          {label: 'Sign out', icon: 'external', onSelect: signOut},
        ]}
      />
    </div>
  );
}

/** Ends the session at the server, then forgets everything that this tab has loaded. */
export function useSignOut(): () => void {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const {mutate} = useMutation(SessionService.method.logout, {
    onSuccess: async () => {
      await navigate({to: '/sign-in'});
      queryClient.clear();
    },
    onError: error => showToast(explainError(error, 'sign out').message, {tone: 'bad'}),
  });
  return () => mutate({});
}
