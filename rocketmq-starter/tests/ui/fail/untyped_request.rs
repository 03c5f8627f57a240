use rocketmq_starter::{RocketmqTemplate, template::ReplyError};

async fn ask(template: &RocketmqTemplate) -> Result<(), ReplyError> {
    template.request("questions", 21).await?;
    Ok(())
}

fn main() {
    let _ = ask;
}
