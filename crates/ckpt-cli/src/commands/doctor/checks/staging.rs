//! Did dead writers leave anything? Files that were being written when their writer died.

use crate::commands::doctor::answer::{Answer, command, some};
use crate::commands::doctor::facts::Facts;
use crate::human;

pub(super) fn answer(facts: &Facts) -> Answer {
    let Ok(survey) = &facts.survey else {
        return Answer::unasked("there is no directory to ask about");
    };
    let mut answer = Answer::new();
    let (swept, strange): (Vec<_>, Vec<_>) = survey.staged.iter().partition(|file| file.is_swept);
    if !swept.is_empty() {
        let bytes = swept.iter().map(|file| file.bytes).sum();
        let names = some(swept.iter().map(|file| format!(".staging/{}", file.name)));
        let text =
            format!("{}, {}: {names}", human::plural(swept.len(), "unfinished file"), human::size(bytes));
        match facts.is_written() {
            Some(true) => answer.ok(format!("{text}; a process is writing now")),
            None => answer.ok(format!("{text}; whether somebody still writes them can't be seen from here")),
            Some(false) => {
                answer
                    .warning(format!("{text}; nobody writes them any more, and none was ever a checkpoint"));
                answer.advise("the next writer removes them when it opens the run: start the program again");
                let paths: Vec<String> = swept
                    .iter()
                    .map(|file| facts.path.join(".staging").join(&file.name).display().to_string())
                    .collect();
                let words: Vec<&str> =
                    ["rm", "--"].into_iter().chain(paths.iter().map(String::as_str)).collect();
                answer.run("or free the room now, as long as nobody writes", command(&words));
            }
        }
    }
    if !strange.is_empty() {
        let names = some(strange.iter().map(|file| format!(".staging/{}", file.name)));
        answer.warning(format!("what is not ours lies there, and is left alone: {names}"));
        answer.advise("move it away");
    }
    if answer.found().is_empty() {
        answer.ok("nothing unfinished lies there");
    }
    answer
}
