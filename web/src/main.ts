import './style/tokens.css';
import './style/controls.css';
import './style/layout.css';
import './style/topics.css';
import './style/talk.css';
import './style/panes.css';
import './style/ticker.css';
import { Page } from './page.ts';
import { startTheme } from './view/theme.ts';

startTheme();
new Page().start();
