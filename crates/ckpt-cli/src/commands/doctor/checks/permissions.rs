//! May the run be read and written? Owner, mode, flags, a file system that is mounted to be read, a file where a directory belongs.

use ckpt::{Error, Stops};

use crate::commands::doctor::answer::{Answer, command};
use crate::commands::doctor::facts::Facts;

pub(super) fn answer(facts: &Facts) -> Answer {
    let mut answer = Answer::new();
    let survey = match &facts.survey {
        Ok(survey) => survey,
        Err(Error::RunNotFound { .. }) => return super::no_run(),
        Err(error) => {
            answer.problem(error.to_string());
            look(&mut answer, facts, "");
            return answer;
        }
    };
    for obstacle in &survey.obstacles {
        let stops = match obstacle.stops {
            Stops::Reading => "the run can't be read",
            Stops::Writing => "the run can be read, but not written",
        };
        let name = if obstacle.name == "." { "its directory" } else { &obstacle.name };
        answer.problem(format!("{stops} by this user: {name}: {}", obstacle.reason));
    }
    match survey.obstacles.first() {
        None => answer.ok("this user may read and write it"),
        Some(first) => {
            look(&mut answer, facts, if first.name == "." { "" } else { &first.name });
            answer.advise(
                "give the directory to the user that the program runs as (chown), take off what forbids it (chmod, chattr -i, mount -o \
                 remount,rw), or move away what stands in the way",
            );
        }
    }
    answer
}

fn look(answer: &mut Answer, facts: &Facts, name: &str) {
    let path = facts.path.join(name).display().to_string();
    answer.run("see owner and mode", command(&["ls", "-ld", path.trim_end_matches('/')]));
}
