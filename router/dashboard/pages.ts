import { budgetsPage } from './budgets-page.ts';
import { changesPage } from './changes-page.ts';
import { configurationChange } from './configuration-change.ts';
import { configurationPage } from './configuration-page.ts';
import { experimentsPage, startExperimentChange, stopExperimentChange } from './experiments-page.ts';
import { candidateChange, frontierPage } from './frontier-page.ts';
import { homePage } from './home-page.ts';
import { createKeyChange, keysPage, revokeKeyChange } from './keys-page.ts';
import {
  beginReviewChange,
  gradeCaseChange,
  leaveReviewChange,
  revealCaseChange,
  settleCaseChange,
  skipCaseChange,
  takeOverCasesChange,
  undoGradeChange,
} from './labels-changes.ts';
import { labelsPage } from './labels-page.ts';
import { livePage } from './live-page.ts';
import type { DashboardChange, DashboardPage } from './page.ts';
import { answerTaskChange, claimTaskChange, peoplePage, releaseTaskChange } from './people-page.ts';
import { askCandidatesChange, decidePromptChange, gradeRepliesChange } from './playground-changes.ts';
import { playgroundPage } from './playground-page.ts';
import { providersPage } from './providers-page.ts';
import { promoteChange, rollbackChange, verdictsPage } from './verdicts-page.ts';
import { watchPage } from './watch-page.ts';

/** In the order of the navigation. */
export const PAGES: readonly DashboardPage[] = [
  { path: '', name: 'Home', role: 'view', render: homePage },
  { path: 'live', name: 'Live', role: 'view', script: 'live.js', render: livePage },
  { path: 'verdicts', name: 'Verdicts', role: 'view', style: 'verdict-report.css', render: verdictsPage },
  {
    path: 'frontier',
    name: 'Frontier',
    role: 'view',
    style: 'verdict-report.css',
    script: 'frontier.js',
    render: frontierPage,
  },
  { path: 'watch', name: 'Watch', role: 'view', render: watchPage },
  { path: 'experiments', name: 'Experiments', role: 'view', render: experimentsPage },
  {
    path: 'playground',
    name: 'Playground',
    role: 'operate',
    script: 'playground.js',
    render: playgroundPage,
  },
  {
    path: 'labels',
    name: 'Labels',
    role: 'view',
    below: 'operate',
    style: 'grading.css',
    script: 'grading.js',
    render: labelsPage,
  },
  { path: 'people', name: 'People', role: 'operate', isForAnybody: true, render: peoplePage },
  { path: 'budgets', name: 'Budgets', role: 'view', render: budgetsPage },
  { path: 'providers', name: 'Providers', role: 'view', render: providersPage },
  { path: 'keys', name: 'Keys', role: 'admin', render: keysPage },
  { path: 'changes', name: 'Changes', role: 'operate', render: changesPage },
  { path: 'configuration', name: 'Configuration', role: 'view', below: 'admin', render: configurationPage },
];

export const CHANGES: readonly DashboardChange[] = [
  promoteChange,
  rollbackChange,
  candidateChange,
  startExperimentChange,
  stopExperimentChange,
  createKeyChange,
  revokeKeyChange,
  configurationChange,
  claimTaskChange,
  releaseTaskChange,
  answerTaskChange,
  decidePromptChange,
  askCandidatesChange,
  gradeRepliesChange,
  beginReviewChange,
  leaveReviewChange,
  takeOverCasesChange,
  gradeCaseChange,
  skipCaseChange,
  undoGradeChange,
  revealCaseChange,
  settleCaseChange,
];
