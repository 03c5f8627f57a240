use rocketmq_starter::{RocketmqTemplate, ReplyError};

async fn ask(template: &RocketmqTemplate) -> Result<(), ReplyError> {
    template.request("questions", 21).await?;
    Ok(())
}

fn main() {
    let _ = ask;
}
